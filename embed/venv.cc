#include "embed/venv.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace machida::embed {
namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The X.Y of `version = X.Y.Z` (venv) or `version_info = X.Y.Z.final.0` (virtualenv).
std::string version_in(std::istream& config) {
  for (std::string line; std::getline(config, line);) {
    const auto equals = line.find('=');
    if (equals == std::string::npos) continue;
    const std::string key = trimmed(line.substr(0, equals));
    if (key != "version" && key != "version_info") continue;
    const std::string value = trimmed(line.substr(equals + 1));
    const auto first_dot = value.find('.');
    return value.substr(0, value.find('.', first_dot == std::string::npos ? 0 : first_dot + 1));
  }
  return "";
}

}  // namespace

std::string python_version() {
  return std::to_string(PY_MAJOR_VERSION) + "." + std::to_string(PY_MINOR_VERSION);
}

Venv open_venv(const std::string& directory) {
  std::ifstream config(directory + "/pyvenv.cfg");
  if (!config)
    throw std::runtime_error("'" + directory +
                             "' is not a virtual environment (it has no pyvenv.cfg)");
  const std::string version = version_in(config);
  if (!version.empty() && version != python_version())
    throw std::runtime_error("the virtual environment '" + directory + "' is for Python " +
                             version + ", this server embeds Python " + python_version() +
                             ": make one with python" + python_version() +
                             " -m venv, or build the server with that environment's python3");
  const std::string python = directory + "/bin/python";
  if (!std::filesystem::exists(python))
    throw std::runtime_error("the virtual environment '" + directory + "' has no bin/python");
  return Venv{directory, python};
}

}  // namespace machida::embed
