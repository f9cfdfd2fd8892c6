// Listens on one address and hands out accepted connections. Loop's thread.
#pragma once

#include <functional>
#include <optional>

#include "server/base/result.h"
#include "server/uv/address.h"
#include "server/uv/tcp_stream.h"

namespace machida::uv {

class TcpListener {
 public:
  // Called for each connection that waits; it calls accept().
  using OnConnection = std::function<void(TcpListener&)>;
  TcpListener(Loop& loop, OnConnection on_connection);

  // The address, with the port that the system chose if it was 0. Nothing when this machine has no
  // such address (a name may have one too many), an error when it can't be listened on.
  Result<std::optional<Address>> listen(const Address& at);

  // Gives the waiting connection to a fresh stream; false when it is gone already.
  bool accept(TcpStream& into);

 private:
  static constexpr int kBacklog = 1024;
  static void on_waiting(uv_stream_t* raw, int status);

  Loop& loop_;
  OnConnection on_connection_;
  Handle<uv_tcp_t> handle_;
};

}  // namespace machida::uv
