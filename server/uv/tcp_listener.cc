#include "server/uv/tcp_listener.h"

namespace machida::uv {

TcpListener::TcpListener(Loop& loop, OnConnection on_connection)
    : loop_(loop), on_connection_(std::move(on_connection)), handle_(this) {
  require(uv_tcp_init(loop.raw(), handle_.raw()), "uv_tcp_init");
  handle_.opened();
}

void TcpListener::on_waiting(uv_stream_t* raw, int status) {
  auto* self = Handle<uv_tcp_t>::owner_of<TcpListener>(reinterpret_cast<uv_tcp_t*>(raw));
  if (self && status == 0) self->loop_.guard([self] { self->on_connection_(*self); });
}

Result<std::optional<Address>> TcpListener::listen(const Address& at) {
  const unsigned flags = at.raw()->sa_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;
  int status = uv_tcp_bind(handle_.raw(), at.raw(), flags);
  if (status == 0)
    status = uv_listen(reinterpret_cast<uv_stream_t*>(handle_.raw()), kBacklog, on_waiting);
  sockaddr_storage storage{};
  int size = sizeof storage;
  if (status == 0)
    status = uv_tcp_getsockname(handle_.raw(), reinterpret_cast<sockaddr*>(&storage), &size);
  if (status == UV_EADDRNOTAVAIL || status == UV_EAFNOSUPPORT) return std::optional<Address>();
  if (status != 0) return Error{error_text(status)};
  return std::optional<Address>(Address(reinterpret_cast<const sockaddr&>(storage)));
}

bool TcpListener::accept(TcpStream& into) {
  const int status = uv_accept(reinterpret_cast<uv_stream_t*>(handle_.raw()),
                               reinterpret_cast<uv_stream_t*>(into.handle_.raw()));
  if (status == 0) uv_tcp_nodelay(into.handle_.raw(), 1);
  return status == 0;
}

}  // namespace machida::uv
