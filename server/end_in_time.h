// Python ends when the application's threads have ended, all but daemon threads, and its atexit
// functions. What goes on must not keep the server: while this exists, the process ends after a
// time, with its status.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "embed/gil.h"

namespace machida {

class EndInTime {
 public:
  // `patience`: beyond the second that an ordinary end may take.
  EndInTime(const embed::Gil&, int status, std::chrono::milliseconds patience);
  ~EndInTime();  // Python has ended
  EndInTime(const EndInTime&) = delete;
  EndInTime& operator=(const EndInTime&) = delete;

 private:
  void watch();
  bool over_within(std::chrono::milliseconds time);

  const int status_;
  const std::chrono::milliseconds patience_;
  const std::string threads_;  // names of those that may go on, "" for none
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread watch_;
};

}  // namespace machida
