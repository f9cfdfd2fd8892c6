// What a keyed step of a dataflow remembers, by key: a cell of the step's own kind for each str key
// in use, when which key is due, and what of it belongs into the next checkpoint. Used by one step,
// on the worker's thread. Memory: cells of keys that were not forgotten; those forgotten in an
// epoch stay until it is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/epoch_states.h"
#include "server/flow/key_index.h"

namespace machida::flow {

class KeyTable final : public EpochStates {
 public:
  static constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();

  // One key. Stays where it is until it is forgotten.
  class Cell {
   public:
    virtual ~Cell() = default;
    _object* key() const noexcept { return key_.get(); }  // an exact str
    // New, or forgotten: holds nothing.
    bool vacant() const noexcept { return vacant_; }

   private:
    friend class KeyTable;
    embed::Object key_;
    std::size_t due_place_ = kNowhere;  // in due_
    std::uint32_t changed_in_ = 0;      // the epoch; 0: not since it was written
    bool vacant_ = true;
    bool stored_ = false;  // the newest row in the store has a value
  };

  // The step: knows what is in a cell.
  class Contents {
   public:
    virtual ~Contents() = default;
    virtual std::unique_ptr<Cell> make_cell() const = 0;
    // What the cell holds, as an object that can be pickled.
    virtual embed::Object saved(const embed::Gil&, const Cell&) const = 0;
    // The reverse, into a vacant cell. Throws PythonError.
    virtual void restore(const embed::Gil&, Cell&, const embed::Object& saved) = 0;
  };

  KeyTable(std::string name, Contents& contents) : name_(std::move(name)), contents_(contents) {}
  ~KeyTable() override;
  KeyTable(const KeyTable&) = delete;
  KeyTable& operator=(const KeyTable&) = delete;

  // The cell of a key, an exact str, for user code that may change what is in it; it is part of the
  // next snapshot. Throws what a StateWriter throws.
  Cell& use(const embed::Gil& gil, _object* key) {
    Cell& cell = find(gil, key);
    change(gil, cell);
    return cell;
  }
  // The same for a cell that is known.
  void change(const embed::Gil& gil, Cell& cell) {
    if (!writer_ || cell.changed_in_ == epoch_) return;
    remember_change(gil, cell);
  }

  // The cell holds something; the step says so after it filled a vacant one.
  void occupy(Cell& cell) { cell.vacant_ = false; }
  // The cell, which was changed in this epoch, holds nothing any more, and is not due. It may be
  // gone.
  void forget(const embed::Gil&, Cell& cell);

  // When the cell is to be handed out by take_due().
  void set_due(Cell& cell, std::int64_t due_us);
  void clear_due(Cell& cell);
  std::optional<std::int64_t> next_due_us() const {
    return due_.empty() ? std::nullopt : std::optional(due_.front().due_us);
  }
  // At most `cells_max` of those that are due at `now_us`, the earliest, in the order of their keys
  // (as UTF-8). They are not due any more.
  std::vector<Cell*> take_due(std::int64_t now_us, std::size_t cells_max);

  // All that hold something, in the order of their keys.
  std::vector<Cell*> in_order() const;
  std::size_t size() const noexcept { return cells_.size(); }  // vacant ones as well

  const std::string& name() const noexcept override { return name_; }
  bool engine_made() const noexcept override { return true; }
  void write_to(StateWriter& writer) override { writer_ = &writer; }
  bool has_changes() const noexcept override { return !changed_.empty(); }
  void end_epoch() override;
  bool write_some(const embed::Gil&, std::size_t states_max) override;
  bool restore(const embed::Gil&, const embed::Object& key, embed::Object state) override;

 private:
  Cell& find(const embed::Gil&, _object* key);
  void remember_change(const embed::Gil&, Cell& cell);
  void write(const embed::Gil&, Cell& cell);
  void drop(Cell& cell);
  struct Due {
    std::int64_t due_us;
    Cell* cell;
  };
  void sift_up(std::size_t place, Due due);
  void sift_down(std::size_t place, Due due);
  void put(std::size_t place, Due due);

  std::string name_;
  Contents& contents_;
  KeyIndex<Cell> cells_;
  std::vector<Due> due_;  // a heap, the earliest first
  StateWriter* writer_ = nullptr;
  std::uint32_t epoch_ = 1;        // counts on from 1, this table's own
  std::uint32_t ended_epoch_ = 0;  // whose cells are being written; 0: none
  std::vector<Cell*> changed_;     // in this epoch
  std::vector<Cell*> to_write_;    // of the ended epoch; some may be written already
};

}  // namespace machida::flow
