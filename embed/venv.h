// Finds out which Python environment the interpreter shall run in. Plain files, no interpreter yet.
// Source of the format: PEP 405, pyvenv.cfg.
#pragma once

#include <string>

namespace machida::embed {

struct Venv {
  std::string directory;
  std::string python;  // directory/bin/python: what the interpreter takes as its own name
};

// The environment in `directory`. Throws std::runtime_error, which says what to do, when it is none
// or one for another version of Python (X.Y) than this server embeds.
Venv open_venv(const std::string& directory);

// "3.11": the version that this server embeds.
std::string python_version();

}  // namespace machida::embed
