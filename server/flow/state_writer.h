// Takes the states that an epoch changed, one after another, while they are as they were at its
// end.
#pragma once

#include <string>

#include "embed/gil.h"

struct _object;

namespace machida::flow {

class StateWriter {
 public:
  virtual ~StateWriter() = default;
  // `key` and `state` are borrowed. May throw: the state can't be written.
  virtual void write(const embed::Gil&, const std::string& state_name, _object* key,
                     _object* state) = 0;
  // The key has no state any more; it had been written.
  virtual void forget(const embed::Gil&, const std::string& state_name, _object* key) = 0;
};

}  // namespace machida::flow
