// The records that go through a pipeline together: owned references to Python objects, in order.
// Filled and emptied under the interpreter lock, on the worker's thread.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "embed/gil.h"

struct _object;

namespace machida::flow {

// Steps run one after another over so many records: enough that each step's code stays in the
// caches and its fixed cost vanishes, few enough that the records themselves do too
// (server/decisions/0001-chunks-of-a-batch.md has the measurement).
inline constexpr std::size_t kBatchRecordsMax = 128;

class Batch {
 public:
  Batch() = default;
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  Batch(Batch&&) noexcept = default;

  // Takes over a reference.
  void push(_object* record) { records_.push_back(record); }
  // The same with the record's key for the step behind the one that found it out, which takes it
  // over too; null: none. Of records that change worker it is found out again.
  void push(_object* record, _object* key) {
    if (key) keys_.resize(records_.size());
    records_.push_back(record);
    if (key) keys_.push_back(key);
  }

  std::size_t size() const noexcept { return records_.size(); }
  bool empty() const noexcept { return records_.empty(); }

  // Borrowed; null when it was taken.
  _object* at(std::size_t i) const noexcept { return records_[i]; }
  // Borrowed; null when it was not given.
  _object* key_at(std::size_t i) const noexcept { return i < keys_.size() ? keys_[i] : nullptr; }
  // Hands the reference over.
  _object* take(std::size_t i) noexcept { return std::exchange(records_[i], nullptr); }

  // Releases what was not taken; the batch is empty then.
  void clear(const embed::Gil&) noexcept;

  void swap(Batch& other) noexcept {
    records_.swap(other.records_);
    keys_.swap(other.keys_);
  }

 private:
  std::vector<_object*> records_;
  std::vector<_object*> keys_;  // of the first records; null where there is none
};

}  // namespace machida::flow
