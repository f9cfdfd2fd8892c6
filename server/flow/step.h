// A running step: takes a batch, leaves a batch. What the user's code raised or returned wrongly
// becomes a dead letter; the rest of the batch goes on.
#pragma once

#include <string>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/batch.h"
#include "server/flow/dead_letters.h"

namespace machida::flow {

class Step {
 public:
  Step(Place place, DeadLetters& dead_letters)
      : place_(std::move(place)), dead_letters_(dead_letters) {}
  virtual ~Step() = default;

  // Takes every record of `in` and appends the results to `out`, in order. The caller clears `in`.
  virtual void run(const embed::Gil&, Batch& in, Batch& out) = 0;

  const Place& place() const noexcept { return place_; }

 protected:
  // The exception that is set, raised on `input`.
  void failed(const embed::Gil& gil, _object* input) {
    dead_letters_.add_pending(gil, place_, input);
  }
  // The user's function returned `result`, which is not what the step needs.
  void returned_wrongly(const embed::Gil&, _object* input, _object* result,
                        const std::string& needed);

 private:
  Place place_;
  DeadLetters& dead_letters_;
};

}  // namespace machida::flow
