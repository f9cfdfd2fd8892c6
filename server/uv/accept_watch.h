// The connections to a listening socket, accepted one by one. Loop's thread.
#pragma once

#include <functional>

#include "server/uv/handle.h"
#include "server/uv/loop.h"
#include "server/uv/socket_pair.h"
#include "server/uv/timer.h"

namespace machida::uv {

// While it lives, connections to a listening socket, which outlives it, are given to
// `on_connection`. When this process may open no more files they wait in the kernel, and one line
// of the log says so. Does not keep the loop alive.
class AcceptWatch {
 public:
  AcceptWatch(Loop& loop, int listening, std::function<void(Descriptor)> on_connection);

  // Connections wait in the kernel meanwhile. Both are idempotent.
  void pause();
  void resume();

 private:
  void accept_one();
  void wait_for_files(int error);

  Loop& loop_;
  int fd_;
  std::function<void(Descriptor)> on_connection_;
  bool waits_ = false;  // for other files to be closed
  Timer again_;
  Handle<uv_poll_t> handle_;
};

}  // namespace machida::uv
