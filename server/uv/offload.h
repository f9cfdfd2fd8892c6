// Work that blocks, off the loop: on libuv's threads, with the end reported on the loop. And how
// other threads ask the loop to look.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "server/uv/handle.h"
#include "server/uv/loop.h"

namespace machida::uv {

// Runs `work` elsewhere, then `done` on the loop. Keeps the loop alive until then. Captures must
// live that long: `done` may find its owner gone, so give it what can tell.
void offload(Loop& loop, std::function<void()> work, std::function<void()> done);

// Destroys what takes its time to end (a unique_ptr or shared_ptr, which is empty afterwards).
template <typename Pointer>
void end_elsewhere(Loop& loop, Pointer& pointer) {
  const auto last = std::make_shared<Pointer>(std::move(pointer));
  offload(loop, [last] { last->reset(); }, [] {});
}

// Any thread may ask; the loop calls `on_wake` once for many askings.
class Wake {
 public:
  Wake(Loop& loop, std::function<void()> on_wake);
  void ask() noexcept { uv_async_send(handle_.raw()); }  // any thread, until destruction

 private:
  Loop& loop_;
  std::function<void()> on_wake_;
  Handle<uv_async_t> handle_;
};

}  // namespace machida::uv
