// reduce: the first value of a key is its accumulator, reducer(accumulator, value) the next; when
// is_complete(accumulator) it is given out and forgotten. What is not complete at the end is
// dropped.
#pragma once

#include "server/flow/object_step.h"

namespace machida::flow {

class ReduceStep final : public ObjectStep {
 public:
  struct Parts {
    embed::Object reducer;
    embed::Object is_complete;
  };
  ReduceStep(Place place, DeadLetters& dead_letters, Parts parts)
      : ObjectStep(std::move(place), dead_letters), parts_(std::move(parts)) {}

 private:
  void on_object(const embed::Gil&, Cell&, const Record&, Batch& out) override;

  Parts parts_;
};

}  // namespace machida::flow
