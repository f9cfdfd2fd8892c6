// batch: the values of a key as a list, when there are `max_size` of them, when the oldest has
// waited for `timeout_us`, or when no more come.
#pragma once

#include <algorithm>

#include "server/base/system_time.h"
#include "server/flow/keyed_step.h"

namespace machida::flow {

class BatchStep final : public KeyedStep {
 public:
  struct Parts {
    std::int64_t max_size = 1;    // 0 is as 1
    std::int64_t timeout_us = 0;  // 0: every value on its own
    const SystemTime& time;
  };
  BatchStep(Place place, DeadLetters& dead_letters, Parts parts)
      : KeyedStep(std::move(place), dead_letters), parts_(parts) {}

 private:
  struct Cell;

  void begin_batch() override { now_us_ = parts_.time.now_us(); }
  void on_record(const embed::Gil&, KeyTable::Cell&, const Record&, Batch& out) override;
  void on_cell_due(const embed::Gil&, KeyTable::Cell&, std::int64_t now_us, Batch& out) override;
  void on_cell_eof(const embed::Gil&, KeyTable::Cell&, Batch& out) override;
  bool gives_at_eof() const override { return true; }
  std::unique_ptr<KeyTable::Cell> make_cell() const override;
  embed::Object saved(const embed::Gil&, const KeyTable::Cell&) const override;
  void restore(const embed::Gil&, KeyTable::Cell&, const embed::Object& saved) override;
  void give(const embed::Gil&, Cell& cell, Batch& out);

  Parts parts_;
  std::int64_t now_us_ = 0;
};

}  // namespace machida::flow
