#include "server/uv/tcp_stream.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace machida::uv {

TcpStream::TcpStream(Loop& loop, StreamEvents& events) : Stream(loop, events) {
  require(uv_tcp_init(loop.raw(), handle_.raw()), "uv_tcp_init");
  handle_.opened();
}

TcpStream::~TcpStream() {
  if (!stays_open_) ::shutdown(descriptor(), SHUT_RDWR);
}

void TcpStream::connect(const Address& to) {
  const auto on_connect = [](uv_connect_t* request, int status) {
    auto* self = static_cast<TcpStream*>(static_cast<Requests*>(request->data)->reported());
    if (self) self->loop_.guard([self, status] { self->report_connected(status); });
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

void TcpStream::take_over(Descriptor connection) {
  require(uv_tcp_open(handle_.raw(), connection.get()), "uv_tcp_open");
  ::fcntl(connection.release(), F_SETFD, FD_CLOEXEC);
}

Descriptor TcpStream::duplicate() {
  stays_open_ = true;
  return Descriptor(::fcntl(descriptor(), F_DUPFD_CLOEXEC, 0));
}

std::size_t TcpStream::unacknowledged_bytes() {
  int bytes = 0;
  if (ioctl(descriptor(), SIOCOUTQ, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::size_t>(bytes);
}

int TcpStream::descriptor() noexcept {
  uv_os_fd_t fd = -1;
  return uv_fileno(reinterpret_cast<uv_handle_t*>(handle_.raw()), &fd) == 0 ? fd : -1;
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
