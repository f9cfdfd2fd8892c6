// Python's cycle collector rests while many objects are made that stay: it would look at all of
// them again and again and find nothing.
#pragma once

#include "embed/gil.h"

namespace machida::embed {

class GcPause {
 public:
  explicit GcPause(const Gil&);
  ~GcPause();  // under the lock, as it was made
  GcPause(const GcPause&) = delete;
  GcPause& operator=(const GcPause&) = delete;

 private:
  bool was_enabled_;
};

}  // namespace machida::embed
