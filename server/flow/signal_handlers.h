// The application's signal handlers, while the main thread runs no Python: there Python notes that
// a signal has come, and calls the handler when it runs again. Until then it writes into a pipe
// (signal.set_wakeup_fd), which wakes who waits. One that the application has set, as asyncio does,
// stays; the handlers must be asked for every now and then in that case. Main thread.
#pragma once

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/dead_letters.h"

namespace machida::flow {

class SignalHandlers {
 public:
  // What handlers raise goes to `dead_letters`. Throws std::runtime_error without descriptors.
  SignalHandlers(const embed::Gil&, DeadLetters& dead_letters);
  ~SignalHandlers();
  SignalHandlers(const SignalHandlers&) = delete;
  SignalHandlers& operator=(const SignalHandlers&) = delete;

  // Readable when a signal has come, until empty_pipe(): then run().
  int descriptor() const noexcept { return pipe_[0]; }
  // Whether that is so, or the application has the wakeup for itself by now.
  bool wakes(const embed::Gil&);
  void empty_pipe() noexcept;
  // Calls the handlers of signals that have come.
  void run(const embed::Gil&);

 private:
  int exchange(const embed::Gil&, int fd) noexcept;

  DeadLetters& dead_letters_;
  embed::Object set_wakeup_fd_, quietly_;
  int pipe_[2];
  bool own_ = true;  // what Python writes into is the pipe
};

}  // namespace machida::flow
