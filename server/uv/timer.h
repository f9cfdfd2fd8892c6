// A one-shot timer, the next turn of a loop, and a turn's end. Owned by what they call; loop's
// thread.
#pragma once

#include <cstdint>
#include <functional>

#include "server/uv/handle.h"
#include "server/uv/loop.h"

namespace machida::uv {

class Timer {
 public:
  Timer(Loop& loop, std::function<void()> on_tick);
  // Once, after `delay_ms`, at least 1. Starting again moves the end.
  void start(std::uint64_t delay_ms);
  void stop();

 private:
  Loop& loop_;
  std::function<void()> on_tick_;
  Handle<uv_timer_t> handle_;
};

// Calls back once, in the loop's next turn and without a wait before it. A timer of 0 ms is no such
// thing: libuv before 1.45 runs one that a timer's callback starts within the same turn, so that
// work which continues itself starves sockets and signals.
class NextTurn {
 public:
  NextTurn(Loop& loop, std::function<void()> on_turn);
  void ask();  // many askings, one call

 private:
  Loop& loop_;
  std::function<void()> on_turn_;
  Handle<uv_idle_t> handle_;
};

// Called in every turn, after all that has arrived was dealt with and before the loop waits.
// Does not keep the loop alive.
class TurnEnd {
 public:
  TurnEnd(Loop& loop, std::function<void()> on_end);

 private:
  Loop& loop_;
  std::function<void()> on_end_;
  Handle<uv_prepare_t> handle_;
};

}  // namespace machida::uv
