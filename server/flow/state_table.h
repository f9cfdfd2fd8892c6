// The state objects of one state name, one per key, shared by every step that uses the name.
// Keys compare as Python says: the application's __hash__ and __eq__.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/epoch_states.h"

namespace machida::flow {

enum class UnlistedKeys {
  kUnknown,  // a key that was not listed has no state
  kCreate,   // state is made when a key is first seen
};

class StateTable final : public EpochStates {
 public:
  // `build()` makes a fresh state object.
  StateTable(const embed::Gil&, std::string name, embed::Object build, UnlistedKeys unlisted);

  // Makes the states of listed keys now; their indices follow the list. Throws what `build` raises.
  void create(const embed::Gil&, const std::vector<embed::Object>& keys);

  // Where the state of `key` is. kNowhere: the key is unknown, or, with an exception set, user code
  // raised (__hash__, __eq__ or the state's constructor).
  static constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();
  std::size_t find(const embed::Gil&, _object* key);

  // The state at a place, borrowed, for user code that may change it. Throws what a StateWriter
  // throws.
  _object* use(const embed::Gil& gil, std::size_t place) {
    Cell& cell = cells_[place];
    if (cell.changed_in != 0 && cell.changed_in == ended_epoch_) [[unlikely]]
      write(gil, cell);
    return cell.state.get();
  }

  // The state at a place belongs into the next snapshot.
  void changed(std::size_t place) {
    Cell& cell = cells_[place];
    if (!writer_ || cell.changed_in == epoch_) return;
    cell.changed_in = epoch_;
    changed_.push_back(place);
  }

  void write_to(StateWriter& writer) override { writer_ = &writer; }
  bool has_changes() const noexcept override { return !changed_.empty(); }
  void end_epoch() override;
  bool write_some(const embed::Gil&, std::size_t states_max) override;
  // False: the key is not listed.
  bool restore(const embed::Gil&, const embed::Object& key, embed::Object state) override;

  // Makes a fresh state that belongs to no key.
  embed::Object make_fresh(const embed::Gil&) const;

  const std::string& name() const noexcept override { return name_; }
  std::size_t size() const noexcept { return cells_.size(); }

  // {key: state object}, a new dict.
  embed::Object snapshot(const embed::Gil&) const;

 private:
  struct Cell {
    embed::Object key;
    embed::Object state;
    std::uint32_t changed_in = 0;  // the epoch; 0: not since it was written
  };
  std::size_t create_one(const embed::Gil&, _object* key);
  void write(const embed::Gil&, Cell& cell);

  std::string name_;
  embed::Object build_;
  UnlistedKeys unlisted_;
  embed::Object index_;      // dict: key -> position in cells_
  std::vector<Cell> cells_;  // never shrinks
  StateWriter* writer_ = nullptr;
  std::uint32_t epoch_ = 1;            // counts on from 1, this table's own
  std::uint32_t ended_epoch_ = 0;      // whose states are being written; 0: none
  std::vector<std::size_t> changed_;   // places, in this epoch; each once
  std::vector<std::size_t> to_write_;  // of the ended epoch; some may be written already
};

}  // namespace machida::flow
