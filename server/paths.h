// Where the server's parts lie: next to the binary when installed or built, else where they were
// configured.
#pragma once

#include <string>

namespace machida {

// The python3 that the build found; its virtual environment, if it is one, is used by default.
extern const char* const kBuildPython;

// The virtual environment that the binary was installed into, "" if it was not.
std::string own_venv();

// The directory that holds the `wallaroo` package.
std::string package_directory();

}  // namespace machida
