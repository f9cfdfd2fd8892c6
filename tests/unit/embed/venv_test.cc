#include "embed/venv.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace fs = std::filesystem;
using machida::embed::open_venv;
using machida::embed::python_version;

namespace {

class Directory {
 public:
  Directory() {
    std::string name = (fs::temp_directory_path() / "venv-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Directory() { fs::remove_all(path); }
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((path / file).parent_path());
    std::ofstream(path / file) << text;
  }
  fs::path path;
};

std::string refusal(const fs::path& path) {
  try {
    open_venv(path.string());
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("an environment of this server's Python is taken") {
  for (const std::string key : {"version = ", "version_info = ", "VERSION=\nversion="}) {
    const Directory venv;
    venv.write("pyvenv.cfg", "home = /usr/bin\n" + key + python_version() + ".2.final\n");
    venv.write("bin/python", "");
    CHECK(open_venv(venv.path.string()).python == (venv.path / "bin/python").string());
  }
}

TEST_CASE("an environment of another Python is refused and both versions are named") {
  const Directory venv;
  venv.write("pyvenv.cfg", "version = 3.99.1\n");
  const std::string why = refusal(venv.path);
  CHECK(why.find("Python 3.99,") != std::string::npos);
  CHECK(why.find("embeds Python " + python_version()) != std::string::npos);
}

TEST_CASE("what is no environment is refused") {
  const Directory venv;
  CHECK(refusal(venv.path).find("no pyvenv.cfg") != std::string::npos);
  CHECK(refusal(venv.path / "missing").find("no pyvenv.cfg") != std::string::npos);
  venv.write("pyvenv.cfg", "");
  CHECK(refusal(venv.path).find("no bin/python") != std::string::npos);
}
