// A Unix socket that programs of the same user connect to. Outlives loops: watched by one at a time
// (AcceptWatch).
#pragma once

#include <memory>
#include <string>

#include "server/base/result.h"
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

// Blocks. An error says why nobody answers there.
Result<Descriptor> connect_unix(const std::string& path);

}  // namespace machida::uv
