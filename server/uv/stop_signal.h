// SIGTERM and SIGINT: the first asks to drain, on the loop; the second ends the process at once,
// also when user code keeps the loop busy. Who has no user code may clean up instead. One per
// process; does not keep the loop alive. User code that sets a handler of its own for one keeps it.
// In forks of the process, which user code makes, signals do what they did before there was one.
#pragma once

#include <csignal>
#include <functional>
#include <vector>

#include "server/uv/handle.h"
#include "server/uv/loop.h"

namespace machida::uv {

class StopSignal {
 public:
  // `on_second`, if there is one, gets the second signal's number in place of the process's end.
  // `numbers`: those that ask, others are left alone.
  StopSignal(Loop& loop, std::function<void()> on_stop,
             std::function<void(int)> on_second = nullptr,
             const std::vector<int>& numbers = {SIGTERM, SIGINT});
  ~StopSignal();  // what was done about the signals before is done again

  static bool exists();  // in this process

  // Signals that come when it has gone are ignored: the process is about to end.
  void ignore_later();

  // The newest one's: SIGTERM or SIGINT; 0: none came.
  int number() const;

  // Whether one has come since the one that there is was made. Any thread.
  static bool has_come();

 private:
  void on_wake();

  Loop& loop_;
  std::function<void()> on_stop_;
  std::function<void(int)> on_second_;
  const std::vector<int> numbers_;
  int told_ = 0;  // how many signals the callbacks know of
  Handle<uv_async_t> handle_;
};

// The process ends with the status that it has: no signal, also none that waits, changes it.
void ignore_stop_signals();

// While one exists, SIGTERM and SIGINT wait for the next StopSignal's time. Programs that are
// started meanwhile get them as ever. For the process's only thread.
class SignalsWait {
 public:
  SignalsWait();
  ~SignalsWait();
  SignalsWait(const SignalsWait&) = delete;
  SignalsWait& operator=(const SignalsWait&) = delete;

  static bool waiting();  // one has come

 private:
  sigset_t before_;
};

}  // namespace machida::uv
