// stateful_map: mapper(state, value) -> (state, output) for each value of a key. A state of None
// forgets the key: the builder makes a new one for its next value.
#pragma once

#include "server/flow/keyed_builder.h"
#include "server/flow/object_step.h"

namespace machida::flow {

class StatefulMapStep final : public ObjectStep {
 public:
  struct Parts {
    KeyedBuilder builder;
    embed::Object mapper;
  };
  StatefulMapStep(Place place, DeadLetters& dead_letters, Parts parts)
      : ObjectStep(std::move(place), dead_letters), parts_(std::move(parts)) {}

 private:
  void on_object(const embed::Gil&, Cell&, const Record&, Batch& out) override;

  Parts parts_;
};

}  // namespace machida::flow
