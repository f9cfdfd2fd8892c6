#include "server/paths.h"

#include <filesystem>

namespace machida {

const char* const kBuildPython = MACHIDA_BUILD_PYTHON;

std::string package_directory() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::path binary = fs::read_symlink("/proc/self/exe", ignored);
  const fs::path above = binary.parent_path().parent_path();
  for (const fs::path& candidate : {above / "share" / "machida" / "python", above / "wallaroo_py"})
    if (fs::exists(candidate / "wallaroo" / "__init__.py", ignored)) return candidate.string();
  return MACHIDA_SOURCE_PYTHON;
}

}  // namespace machida
