// Partition keys as Python compares them, with the application's __hash__ and __eq__.
#pragma once

#include "embed/gil.h"
#include "embed/object.h"

namespace machida::embed {

class KeySet {
 public:
  explicit KeySet(const Gil& gil);
  // False when an equal key is in already. Throws what __hash__ or __eq__ raises.
  bool insert(const Gil&, const Object& key);

 private:
  Object set_;
};

// An int (no bool) from 0 to 2**64 - 1.
bool is_u64(const Gil&, const Object&);

}  // namespace machida::embed
