// The formats of configuration files, each read by a library that only one file knows.
#pragma once

#include <string_view>
#include <vector>

#include "server/config/mistake.h"
#include "server/config/value.h"

namespace machida::config {

// Mistakes of the syntax are added; the value is what could be read.
Value read_toml(std::string_view text, std::vector<Mistake>& mistakes);
Value read_yaml(std::string_view text, std::vector<Mistake>& mistakes);

}  // namespace machida::config
