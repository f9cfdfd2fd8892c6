// A running step: takes a batch, leaves a batch. What the user's code raised or returned wrongly
// becomes a dead letter; the rest of the batch goes on. A step that holds records back gives them
// when their time has come or the input has ended.
#pragma once

#include <string>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/batch.h"
#include "server/flow/dead_letters.h"
#include "server/flow/epoch_states.h"
#include "server/flow/timed_work.h"

namespace machida::flow {

class Step {
 public:
  Step(Place place, DeadLetters& dead_letters)
      : place_(std::move(place)), dead_letters_(dead_letters) {}
  virtual ~Step() = default;

  // Takes every record of `in` and appends the results to `out`, in order. The caller clears `in`.
  virtual void run(const embed::Gil&, Batch& in, Batch& out) = 0;

  // No record will come: appends what is held back.
  virtual void on_eof(const embed::Gil&, Batch&) {}

  // What it does when its time has come; null: it waits for records only. The same at each call.
  virtual TimedWork* timed() noexcept { return nullptr; }

  // What it remembers and a checkpoint keeps; null: nothing that is its own.
  virtual EpochStates* states() noexcept { return nullptr; }

  // Whether records may leave here for another worker, and come from others behind it.
  virtual bool exchanges() const noexcept { return false; }

  const Place& place() const noexcept { return place_; }

 protected:
  // The exception that is set, raised on `input`.
  void failed(const embed::Gil& gil, _object* input) {
    dead_letters_.add_pending(gil, place_, input);
  }
  // The same, raised by `function` or about what it returned; `what` is as in note_user_call.
  void failed(const embed::Gil&, _object* input, const char* what, _object* function);
  // The user's function returned `result`, which is not what the step needs.
  void returned_wrongly(const embed::Gil&, _object* input, _object* result,
                        const std::string& needed);

 private:
  Place place_;
  DeadLetters& dead_letters_;
};

}  // namespace machida::flow
