// One TCP connection, made by connect() or accepted. Loop's thread; destroying it closes it,
// also if a process that user code has forked still has it.
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
  ~TcpStream();

  // Ends in on_connected, also when it fails at once.
  void connect(const Address& to);

  // In place of connect(): one that was accepted, or that another stream was. Throws
  // std::runtime_error when it is none.
  void take_over(Descriptor connection);
  // The connection itself, which stays open when this stream ends; nothing when it has none.
  Descriptor duplicate();

  // Bytes written that the peer's system has not acknowledged. 0 when the system can't tell.
  std::size_t unacknowledged_bytes();

  std::string peer_text() const;

 private:
  void report_connected(int status);
  int descriptor() noexcept;  // -1: none yet

  bool stays_open_ = false;  // a duplicate was handed out
};

}  // namespace machida::uv
