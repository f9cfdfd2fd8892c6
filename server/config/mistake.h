// What is wrong with a configuration file, and where.
#pragma once

#include <string>

#include "server/config/value.h"

namespace machida::config {

struct Mistake {
  Place place;
  std::string what;  // tells no values: they may be secrets
};

}  // namespace machida::config
