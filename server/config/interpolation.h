// Environment variables in a configuration's texts: ${VAR} and ${VAR:-default}; $$ is a dollar.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/config/mistake.h"
#include "server/config/value.h"

namespace machida::config {

// The value of a variable; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// In all texts below `value`; keys stay as they are. A default stands in for a variable that is not
// set or empty, as in a shell. Notes variables that are not set, and what is no variable.
void interpolate(Value& value, const Environment& environment, std::vector<Mistake>& mistakes);

}  // namespace machida::config
