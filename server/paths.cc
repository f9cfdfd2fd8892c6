#include "server/paths.h"

#include <filesystem>

namespace machida {

namespace fs = std::filesystem;

const char* const kBuildPython = MACHIDA_BUILD_PYTHON;

namespace {

// Two directories above the binary: the prefix of an installation, or the source tree.
fs::path above() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path().parent_path();
}

}  // namespace

std::string own_venv() {
  std::error_code ignored;
  return fs::exists(above() / "pyvenv.cfg", ignored) ? above().string() : "";
}

std::string package_directory() {
  std::error_code ignored;
  for (const fs::path& candidate : {above() / "share" / "machida" / "python",
                                    above() / MACHIDA_PACKAGES, above() / "wallaroo_py"})
    if (fs::exists(candidate / "wallaroo" / "__init__.py", ignored)) return candidate.string();
  return MACHIDA_SOURCE_PYTHON;
}

}  // namespace machida
