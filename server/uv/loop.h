// The event loop of one worker. Everything on it runs on the thread that calls run().
#pragma once

#include <uv.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/uv/handle.h"

namespace machida::uv {

class Loop {
 public:
  Loop();
  // Delivers the close callbacks; aborts when a handle outlived the loop.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Until stop() or until nothing is left to wait for. Rethrows what a callback threw.
  void run();
  void stop() noexcept { uv_stop(&loop_); }

  // Runs one callback's method; an exception is parked for run() and stops the loop.
  template <class Fn>
  void guard(Fn&& fn) noexcept {
    try {
      fn();
    } catch (...) {
      if (!failure_) failure_ = std::current_exception();
      stop();
    }
  }

  uv_loop_t* raw() noexcept { return &loop_; }

  // Milliseconds of a clock that only goes forward, as of this turn.
  std::uint64_t now_ms() const noexcept { return uv_now(&loop_); }

  // Counts the loop's turns: what runs between two waits is one.
  std::uint64_t turn() const noexcept { return turn_; }

  // Shared by all streams for reading: a read is dealt with before the next one.
  static constexpr std::size_t kReadBytesMax = 64u << 10;
  char* read_memory() noexcept { return read_memory_.get(); }

 private:
  uv_loop_t loop_;
  std::uint64_t turn_ = 0;
  std::unique_ptr<Handle<uv_prepare_t>> turn_counter_;
  std::unique_ptr<char[]> read_memory_;
  std::exception_ptr failure_;
};

// What a libuv call said: "connection refused". Throws std::runtime_error for errors that only a
// wrong program causes.
std::string error_text(int code);
void require(int code, const char* what);

// Lets the process open as many files as the system allows: one per connection.
void raise_open_files_limit();

// Before a loop is made: none of its files may be 0, 1 or 2, which whoever started the process may
// have closed. Those become /dev/null.
void open_standard_files();

}  // namespace machida::uv
