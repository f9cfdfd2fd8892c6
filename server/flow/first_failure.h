// The policy of a dataflow: the first exception of user code ends the run, and is raised where the
// run was started, the very object with its traceback. One thread, under the lock.
#pragma once

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/dead_letters.h"

namespace machida::flow {

class FirstFailure final : public DeadLetters {
 public:
  // Throws StopOnError, or SystemExit.
  void add(const embed::Gil&, const Place& place, const embed::PythonError& error,
           _object* input) override;
  void add_pending(const embed::Gil&, const Place& place, _object* input) override;

  // There was one; later ones, as of closing what is open, are only logged.
  bool happened() const noexcept { return static_cast<bool>(exception_); }
  // Sets the exception in the interpreter again. Only when it happened.
  void raise(const embed::Gil&);

 private:
  void keep(const embed::Gil&, const Place& place, embed::Object exception);
  embed::Object exception_;
};

}  // namespace machida::flow
