// How storing fails: no room, which passes, and everything else, which does not.
#pragma once

#include <stdexcept>

namespace machida::store {

// No room: nothing of it was stored, and it can be tried again.
class StoreFull : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

// The store can't be trusted (damaged, of another application or format) or its device failed.
// what() names the file and the reason.
class StoreError : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

// What opening does with what is damaged.
enum class Damage {
  kRefuse,       // throws StoreError
  kAcceptOlder,  // what is whole is used, with a warning
};

}  // namespace machida::store
