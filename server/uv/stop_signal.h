// SIGTERM and SIGINT: the first asks to drain, on the loop; the second ends the process at once,
// also when user code keeps the loop busy. One per process; does not keep the loop alive.
#pragma once

#include <functional>

#include "server/uv/handle.h"
#include "server/uv/loop.h"

namespace machida::uv {

class StopSignal {
 public:
  StopSignal(Loop& loop, std::function<void()> on_stop);
  ~StopSignal();

 private:
  Loop& loop_;
  std::function<void()> on_stop_;
  Handle<uv_async_t> handle_;
};

}  // namespace machida::uv
