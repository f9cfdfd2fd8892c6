// Listens on a bound socket and hands out accepted connections. Loop's thread.
#pragma once

#include <functional>
#include <string>

#include "server/uv/socket_pair.h"
#include "server/uv/tcp_stream.h"

namespace machida::uv {

class TcpListener {
 public:
  // Called for each connection that waits; it calls accept().
  using OnConnection = std::function<void(TcpListener&)>;
  // `bound`: of bind_all(). Throws std::runtime_error when it is no such socket.
  TcpListener(Loop& loop, Descriptor bound, OnConnection on_connection);

  // Returns why it can't be listened on (another process has begun to meanwhile), or "".
  std::string listen();

  // Gives the waiting connection to a fresh stream; false when it is gone already.
  bool accept(TcpStream& into);

 private:
  static void on_waiting(uv_stream_t* raw, int status);

  Loop& loop_;
  OnConnection on_connection_;
  Handle<uv_tcp_t> handle_;
};

}  // namespace machida::uv
