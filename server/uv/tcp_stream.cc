#include "server/uv/tcp_stream.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <vector>

#include "server/base/check.h"

namespace machida::uv {

// libuv reports requests that a close cut off, so they live on their own and know whether their
// stream still does. `pending` counts the reports to come.
struct TcpStream::Requests {
  TcpStream* stream = nullptr;
  int pending = 0;
  uv_connect_t connecting{};
  uv_write_t writing{};

  TcpStream* reported() {
    --pending;
    TcpStream* alive = stream;
    if (!alive && pending == 0) delete this;
    return alive;
  }
};

TcpStream::TcpStream(Loop& loop, StreamEvents& events)
    : loop_(loop),
      events_(events),
      handle_(this),
      requests_(new Requests),
      last_read_turn_(loop.turn() - 1) {
  requests_->stream = this;
  requests_->connecting.data = requests_;
  requests_->writing.data = requests_;
  require(uv_tcp_init(loop.raw(), handle_.raw()), "uv_tcp_init");
  handle_.opened();
}

TcpStream::~TcpStream() {
  requests_->stream = nullptr;
  if (requests_->pending == 0) delete requests_;
}

void TcpStream::connect(const Address& to) {
  const auto on_connect = [](uv_connect_t* request, int status) {
    if (TcpStream* self = static_cast<Requests*>(request->data)->reported())
      self->loop_.guard([self, status] { self->report_connected(status); });
  };
  const int status = uv_tcp_connect(&requests_->connecting, handle_.raw(), to.raw(), on_connect);
  if (status == 0)
    ++requests_->pending;
  else
    report_connected(status);
}

void TcpStream::report_connected(int status) {
  if (status == 0) uv_tcp_nodelay(handle_.raw(), 1);
  events_.on_connected(status == 0 ? "" : error_text(status));
}

void TcpStream::start_reading() {
  if (reading_) return;
  reading_ = true;
  const auto on_memory = [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
    auto* self = Handle<uv_tcp_t>::owner_of<TcpStream>(reinterpret_cast<uv_tcp_t*>(handle));
    *buffer = uv_buf_init(nullptr, 0);
    if (!self || self->last_read_turn_ == self->loop_.turn()) return;
    self->last_read_turn_ = self->loop_.turn();
    *buffer = uv_buf_init(self->loop_.read_memory(), Loop::kReadBytesMax);
  };
  const auto on_read = [](uv_stream_t* raw, ssize_t size, const uv_buf_t* buffer) {
    auto* self = Handle<uv_tcp_t>::owner_of<TcpStream>(reinterpret_cast<uv_tcp_t*>(raw));
    if (!self || size == 0 || size == UV_ENOBUFS) return;  // no memory: on in the next turn
    self->loop_.guard([self, size, buffer] {
      if (size > 0)
        self->events_.on_read({buffer->base, static_cast<std::size_t>(size)});
      else
        self->events_.on_end(size == UV_EOF ? "" : error_text(static_cast<int>(size)));
    });
  };
  const int status =
      uv_read_start(reinterpret_cast<uv_stream_t*>(handle_.raw()), on_memory, on_read);
  if (status != 0) events_.on_end(error_text(status));
}

void TcpStream::stop_reading() {
  if (!reading_) return;
  reading_ = false;
  uv_read_stop(reinterpret_cast<uv_stream_t*>(handle_.raw()));
}

void TcpStream::write(std::span<const std::string_view> buffers) {
  MACHIDA_CHECK(!writing_, "one write at a time");
  std::vector<uv_buf_t> raw;
  raw.reserve(buffers.size());
  for (const std::string_view buffer : buffers)
    raw.push_back(
        uv_buf_init(const_cast<char*>(buffer.data()), static_cast<unsigned>(buffer.size())));
  const auto on_write = [](uv_write_t* request, int status) {
    TcpStream* self = static_cast<Requests*>(request->data)->reported();
    if (!self) return;
    self->writing_ = false;
    self->loop_.guard(
        [self, status] { self->events_.on_written(status == 0 ? "" : error_text(status)); });
  };
  const int status = uv_write(&requests_->writing, reinterpret_cast<uv_stream_t*>(handle_.raw()),
                              raw.data(), static_cast<unsigned>(raw.size()), on_write);
  if (status == 0) {
    writing_ = true;
    ++requests_->pending;
  } else {
    events_.on_written(error_text(status));
  }
}

std::size_t TcpStream::unwritten_bytes() noexcept {
  return uv_stream_get_write_queue_size(reinterpret_cast<uv_stream_t*>(handle_.raw()));
}

std::size_t TcpStream::unacknowledged_bytes() {
  uv_os_fd_t fd = -1;
  int bytes = 0;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(handle_.raw()), &fd) != 0) return 0;
  if (ioctl(fd, SIOCOUTQ, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::size_t>(bytes);
}

std::string TcpStream::peer_text() const {
  sockaddr_storage storage{};
  int size = sizeof storage;
  auto* handle = const_cast<TcpStream*>(this)->handle_.raw();
  if (uv_tcp_getpeername(handle, reinterpret_cast<sockaddr*>(&storage), &size) != 0)
    return "a peer that is gone";
  return Address(reinterpret_cast<const sockaddr&>(storage)).text();
}

}  // namespace machida::uv
