// In front of a keyed step of a Wallaroo pipeline: takes records, leaves `(key, record)`, where the
// application's partition function has made the key, a str. Anything else is a dead letter.
#pragma once

#include <utility>

#include "embed/object.h"
#include "server/flow/step.h"

namespace machida::flow {

class KeyByStep final : public Step {
 public:
  // `partition`: partition(record) -> str.
  KeyByStep(Place place, DeadLetters& dead_letters, embed::Object partition)
      : Step(std::move(place), dead_letters), partition_(std::move(partition)) {}

  void run(const embed::Gil&, Batch& in, Batch& out) override;

 private:
  embed::Object partition_;
};

}  // namespace machida::flow
