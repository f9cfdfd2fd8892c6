// The state objects of one state name, one per key, shared by every step that uses the name.
// Keys compare as Python says: the application's __hash__ and __eq__.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"

namespace machida::flow {

enum class UnlistedKeys {
  kUnknown,  // a key that was not listed has no state
  kCreate,   // state is made when a key is first seen
};

class StateTable {
 public:
  // `build()` makes a fresh state object.
  StateTable(const embed::Gil&, std::string name, embed::Object build, UnlistedKeys unlisted);

  // Makes the states of listed keys now; their indices follow the list. Throws what `build` raises.
  void create(const embed::Gil&, const std::vector<embed::Object>& keys);

  // The state of `key`, borrowed. Null: the key is unknown, or, with an exception set, user code
  // raised (__hash__, __eq__ or the state's constructor).
  _object* find(const embed::Gil&, _object* key);

  const std::string& name() const noexcept { return name_; }
  std::size_t size() const noexcept { return cells_.size(); }

  // {key: state object}, a new dict.
  embed::Object snapshot(const embed::Gil&) const;

 private:
  struct Cell {
    embed::Object key;
    embed::Object state;
  };
  _object* create_one(const embed::Gil&, _object* key);

  std::string name_;
  embed::Object build_;
  UnlistedKeys unlisted_;
  embed::Object index_;      // dict: key -> position in cells_
  std::vector<Cell> cells_;  // never shrinks
};

}  // namespace machida::flow
