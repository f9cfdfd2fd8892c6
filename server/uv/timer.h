// A one-shot timer, and the end of a loop's turn. Owned by what they call; loop's thread.
#pragma once

#include <cstdint>
#include <functional>

#include "server/uv/handle.h"
#include "server/uv/loop.h"

namespace machida::uv {

class Timer {
 public:
  Timer(Loop& loop, std::function<void()> on_tick);
  // Once, after `delay_ms`; 0 is the next turn of the loop. Starting again moves the end.
  void start(std::uint64_t delay_ms);

 private:
  Loop& loop_;
  std::function<void()> on_tick_;
  Handle<uv_timer_t> handle_;
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
