// One TCP connection, made by connect() or by a listener. Loop's thread; destroying it closes it.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "server/uv/address.h"
#include "server/uv/handle.h"
#include "server/uv/loop.h"

namespace machida::uv {

// What happens on a stream. The stream may be destroyed from within each of them.
class StreamEvents {
 public:
  virtual ~StreamEvents() = default;
  virtual void on_connected(const std::string& error) { (void)error; }  // empty: connected
  virtual void on_read(std::string_view bytes) = 0;   // valid during the call only
  virtual void on_end(const std::string& error) = 0;  // empty: the peer closed in order
  virtual void on_written(const std::string& error) { (void)error; }  // empty: all of it
};

class TcpStream {
 public:
  TcpStream(Loop& loop, StreamEvents& events);
  ~TcpStream();

  // Ends in on_connected, also when it fails at once.
  void connect(const Address& to);

  void start_reading();  // idempotent, as is stop_reading
  void stop_reading();

  // Hands `buffers` to the system; their memory must stay until on_written. One write at a time.
  void write(std::span<const std::string_view> buffers);
  bool writing() const noexcept { return writing_; }
  // Of the write that is going on, what the system has not taken yet.
  std::size_t unwritten_bytes() noexcept;

  // Bytes written that the peer's system has not acknowledged. 0 when the system can't tell.
  std::size_t unacknowledged_bytes();

  std::string peer_text() const;

 private:
  friend class TcpListener;
  struct Requests;
  void report_connected(int status);

  Loop& loop_;
  StreamEvents& events_;
  Handle<uv_tcp_t> handle_;
  Requests* requests_;            // freed with the handle
  std::uint64_t last_read_turn_;  // one read a turn, so that a busy peer leaves room for others
  bool reading_ = false;
  bool writing_ = false;
};

}  // namespace machida::uv
