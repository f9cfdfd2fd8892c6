// reduce: the first value of a key is its accumulator, reducer(accumulator, value) the next; when
// is_complete(accumulator) it is given out and forgotten. What is not complete at the end is
// dropped.
#pragma once

#include "server/flow/keyed_step.h"

namespace machida::flow {

class ReduceStep final : public KeyedStep {
 public:
  struct Parts {
    embed::Object reducer;
    embed::Object is_complete;
  };
  ReduceStep(Place place, DeadLetters& dead_letters, Parts parts)
      : KeyedStep(std::move(place), dead_letters), parts_(std::move(parts)) {}

 private:
  struct Cell;

  void on_record(const embed::Gil&, KeyTable::Cell&, const Record&, Batch& out) override;
  std::unique_ptr<KeyTable::Cell> make_cell() const override;
  embed::Object saved(const embed::Gil&, const KeyTable::Cell&) const override;
  void restore(const embed::Gil&, KeyTable::Cell&, const embed::Object& saved) override;

  Parts parts_;
};

}  // namespace machida::flow
