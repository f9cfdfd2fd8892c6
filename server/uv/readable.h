// Calls back on the loop in every turn in which a descriptor has something to read. Does not keep
// the loop alive.
#pragma once

#include <functional>

#include "server/uv/handle.h"
#include "server/uv/loop.h"

namespace machida::uv {

class Readable {
 public:
  // `fd` stays its owner's, and outlives this.
  Readable(Loop& loop, int fd, std::function<void()> on_readable);

 private:
  Loop& loop_;
  std::function<void()> on_readable_;
  Handle<uv_poll_t> handle_;
};

}  // namespace machida::uv
