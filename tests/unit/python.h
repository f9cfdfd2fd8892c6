// Python for unit tests: a module's worth of source, its names as objects. A lambda is the fake.
#pragma once

#include <string>

#include "embed/gil.h"
#include "embed/object.h"

namespace machida::testing {

// Runs `source` and returns the value that it gives to `name`.
embed::Object python(const embed::Gil&, const std::string& source, const char* name = "it");

}  // namespace machida::testing
