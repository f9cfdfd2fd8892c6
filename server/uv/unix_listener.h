// A Unix socket that programs of the same user connect to. Outlives loops: watched by one at a
// time (AcceptWatch), on that loop's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "server/base/result.h"
#include "server/uv/handle.h"
#include "server/uv/loop.h"
#include "server/uv/socket_pair.h"

namespace machida::uv {

class UnixListener {
 public:
  // Takes the place of a socket that a process which is gone has left. Removes it at the end.
  static Result<std::unique_ptr<UnixListener>> make(const std::string& path);
  ~UnixListener();
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;

  int socket() const noexcept { return socket_.get(); }

 private:
  UnixListener(std::string path, Descriptor socket)
      : path_(std::move(path)), socket_(std::move(socket)) {}
  std::string path_;
  Descriptor socket_;
};

// While it lives, connections to a listening socket are given to `on_connection`. Does not keep the
// loop alive.
class AcceptWatch {
 public:
  AcceptWatch(Loop& loop, int listening, std::function<void(Descriptor)> on_connection);

  // Connections wait in the kernel meanwhile. Both are idempotent.
  void pause();
  void resume();

 private:
  Loop& loop_;
  int fd_;
  std::function<void(Descriptor)> on_connection_;
  Handle<uv_poll_t> handle_;
};

// Blocks. An error says why nobody answers there.
Result<Descriptor> connect_unix(const std::string& path);

}  // namespace machida::uv
