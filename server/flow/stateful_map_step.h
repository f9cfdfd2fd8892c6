// stateful_map: mapper(state, value) -> (state, output) for each value of a key. A state of None
// forgets the key: the builder makes a new one for its next value.
#pragma once

#include "server/flow/keyed_builder.h"
#include "server/flow/keyed_step.h"

namespace machida::flow {

class StatefulMapStep final : public KeyedStep {
 public:
  struct Parts {
    KeyedBuilder builder;
    embed::Object mapper;
  };
  StatefulMapStep(Place place, DeadLetters& dead_letters, Parts parts)
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
