// Loads the user's module and asks it for its topology.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"

namespace machida::embed {

// The application can't be started; the text is for its author, with a traceback where there is
// one.
class ApplicationError : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

// Imports `module` and calls its `application_setup(args)`. Returns the list of topology tuples.
// Throws ApplicationError (not found, raised, returned something else) or SystemExit.
Object load_topology(const Gil&, const std::string& module, const std::vector<std::string>& args);

}  // namespace machida::embed
