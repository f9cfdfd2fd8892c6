// State computations: compute(data, state) -> (output, save_state), over one state object or over
// the state of the record's partition key.
#pragma once

#include <optional>

#include "server/flow/state_table.h"
#include "server/flow/step.h"
#include "server/flow/unknown_keys.h"

namespace machida::flow {

enum class ResultShape { kOne, kMany };

class StateStep final : public Step {
 public:
  struct Parts {
    embed::Object compute;
    embed::Object partition;  // empty: every record uses the state of the key None
    ResultShape shape = ResultShape::kOne;
    StateTable& states;
    UnknownKeys unknown_keys;
  };
  StateStep(Place place, DeadLetters& dead_letters, Parts parts)
      : Step(std::move(place), dead_letters), parts_(std::move(parts)) {}
  void run(const embed::Gil&, Batch& in, Batch& out) override;

 private:
  // `key`: null when it is not known yet.
  void run_one(const embed::Gil&, _object* record, _object* key, Batch& out);
  std::size_t place_of(const embed::Gil&, _object* record, _object* key);
  std::size_t place_of_key(const embed::Gil&, _object* record, _object* key);

  Parts parts_;
};

}  // namespace machida::flow
