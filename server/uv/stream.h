// What TCP connections and pipes have in common: reading, writing, and how they end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

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

// Raw is uv_tcp_t or uv_pipe_t; whoever derives initialises the handle. Loop's thread; destroying
// it closes it.
template <class Raw>
class Stream {
 public:
  void start_reading();  // idempotent, as is stop_reading
  void stop_reading();

  // Hands `buffers` to the system; their memory must stay until on_written. One write at a time.
  void write(std::span<const std::string_view> buffers);
  bool writing() const noexcept { return writing_; }
  // Of the write that is going on, what the system has not taken yet.
  std::size_t unwritten_bytes() noexcept;

 protected:
  // libuv reports requests that a close cut off, so they live on their own and know whether their
  // stream still does. `pending` counts the reports to come.
  struct Requests {
    Stream* stream = nullptr;
    int pending = 0;
    uv_connect_t connecting{};
    uv_write_t writing{};

    Stream* reported();  // null when the stream is gone
  };

  Stream(Loop& loop, StreamEvents& events);
  ~Stream();
  uv_stream_t* raw_stream() noexcept { return reinterpret_cast<uv_stream_t*>(handle_.raw()); }

  Loop& loop_;
  StreamEvents& events_;
  Handle<Raw> handle_;
  Requests* requests_;  // freed with the handle

 private:
  std::uint64_t last_read_turn_;  // one read a turn, so that a busy peer leaves room for others
  bool reading_ = false;
  bool writing_ = false;
};

extern template class Stream<uv_tcp_t>;
extern template class Stream<uv_pipe_t>;

}  // namespace machida::uv
