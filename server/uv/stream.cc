#include "server/uv/stream.h"

#include <vector>

#include "server/base/check.h"

namespace machida::uv {

template <class Raw>
Stream<Raw>* Stream<Raw>::Requests::reported() {
  --pending;
  Stream* alive = stream;
  if (!alive && pending == 0) delete this;
  return alive;
}

template <class Raw>
Stream<Raw>::Stream(Loop& loop, StreamEvents& events)
    : loop_(loop),
      events_(events),
      handle_(this),
      requests_(new Requests),
      last_read_turn_(loop.turn() - 1) {
  requests_->stream = this;
  requests_->connecting.data = requests_;
  requests_->writing.data = requests_;
}

template <class Raw>
Stream<Raw>::~Stream() {
  requests_->stream = nullptr;
  if (requests_->pending == 0) delete requests_;
}

template <class Raw>
void Stream<Raw>::start_reading() {
  if (reading_) return;
  reading_ = true;
  const auto on_memory = [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
    auto* self = Handle<Raw>::template owner_of<Stream>(reinterpret_cast<Raw*>(handle));
    *buffer = uv_buf_init(nullptr, 0);
    if (!self || self->last_read_turn_ == self->loop_.turn()) return;
    self->last_read_turn_ = self->loop_.turn();
    *buffer = uv_buf_init(self->loop_.read_memory(), Loop::kReadBytesMax);
  };
  const auto on_read = [](uv_stream_t* raw, ssize_t size, const uv_buf_t* buffer) {
    auto* self = Handle<Raw>::template owner_of<Stream>(reinterpret_cast<Raw*>(raw));
    if (!self || size == 0 || size == UV_ENOBUFS) return;  // no memory: on in the next turn
    self->loop_.guard([self, size, buffer] {
      if (size > 0)
        self->events_.on_read({buffer->base, static_cast<std::size_t>(size)});
      else
        self->events_.on_end(size == UV_EOF ? "" : error_text(static_cast<int>(size)));
    });
  };
  const int status = uv_read_start(raw_stream(), on_memory, on_read);
  if (status != 0) events_.on_end(error_text(status));
}

template <class Raw>
void Stream<Raw>::stop_reading() {
  if (!reading_) return;
  reading_ = false;
  uv_read_stop(raw_stream());
}

template <class Raw>
void Stream<Raw>::write(std::span<const std::string_view> buffers) {
  MACHIDA_CHECK(!writing_, "one write at a time");
  std::vector<uv_buf_t> raw;
  raw.reserve(buffers.size());
  for (const std::string_view buffer : buffers)
    raw.push_back(
        uv_buf_init(const_cast<char*>(buffer.data()), static_cast<unsigned>(buffer.size())));
  const auto on_write = [](uv_write_t* request, int status) {
    Stream* self = static_cast<Requests*>(request->data)->reported();
    if (!self) return;
    self->writing_ = false;
    self->loop_.guard(
        [self, status] { self->events_.on_written(status == 0 ? "" : error_text(status)); });
  };
  const int status = uv_write(&requests_->writing, raw_stream(), raw.data(),
                              static_cast<unsigned>(raw.size()), on_write);
  if (status == 0) {
    writing_ = true;
    ++requests_->pending;
  } else {
    events_.on_written(error_text(status));
  }
}

template <class Raw>
std::size_t Stream<Raw>::unwritten_bytes() noexcept {
  return uv_stream_get_write_queue_size(raw_stream());
}

template class Stream<uv_tcp_t>;
template class Stream<uv_pipe_t>;

}  // namespace machida::uv
