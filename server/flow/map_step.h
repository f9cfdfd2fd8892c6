// Stateless computations: to and to_parallel, with one output or several.
#pragma once

#include "server/flow/step.h"

namespace machida::flow {

// compute(data) -> data, None filters.
class MapStep final : public Step {
 public:
  MapStep(Place place, DeadLetters& dead_letters, embed::Object compute)
      : Step(std::move(place), dead_letters), compute_(std::move(compute)) {}
  void run(const embed::Gil&, Batch& in, Batch& out) override;

 private:
  embed::Object compute_;
};

// compute_multi(data) -> list of data or None.
class FlatMapStep final : public Step {
 public:
  FlatMapStep(Place place, DeadLetters& dead_letters, embed::Object compute)
      : Step(std::move(place), dead_letters), compute_(std::move(compute)) {}
  void run(const embed::Gil&, Batch& in, Batch& out) override;

 private:
  embed::Object compute_;
};

}  // namespace machida::flow
