// One TCP connection, made by connect() or by a listener. Loop's thread; destroying it closes it.
#pragma once

#include <cstddef>
#include <string>

#include "server/uv/address.h"
#include "server/uv/socket_pair.h"
#include "server/uv/stream.h"

namespace machida::uv {

class TcpStream : public Stream<uv_tcp_t> {
 public:
  TcpStream(Loop& loop, StreamEvents& events);

  // Ends in on_connected, also when it fails at once.
  void connect(const Address& to);

  // In place of connect(): a connection that another stream was. Throws std::runtime_error when it
  // is none.
  void take_over(Descriptor connection);
  // The connection itself, which stays open when this stream ends; nothing when it has none.
  Descriptor duplicate();

  // Bytes written that the peer's system has not acknowledged. 0 when the system can't tell.
  std::size_t unacknowledged_bytes();

  std::string peer_text() const;

 private:
  friend class TcpListener;
  void report_connected(int status);
};

}  // namespace machida::uv
