#include "server/uv/tcp_listener.h"

#include <utility>

#include "server/uv/bound_socket.h"

namespace machida::uv {

TcpListener::TcpListener(Loop& loop, Descriptor bound, OnConnection on_connection)
    : loop_(loop), on_connection_(std::move(on_connection)), handle_(this) {
  require(uv_tcp_init(loop.raw(), handle_.raw()), "uv_tcp_init");
  handle_.opened();
  require(uv_tcp_open(handle_.raw(), bound.get()), "uv_tcp_open");
  bound.release();
}

void TcpListener::on_waiting(uv_stream_t* raw, int status) {
  auto* self = Handle<uv_tcp_t>::owner_of<TcpListener>(reinterpret_cast<uv_tcp_t*>(raw));
  if (self && status == 0) self->loop_.guard([self] { self->on_connection_(*self); });
}

std::string TcpListener::listen() {
  const int status =
      uv_listen(reinterpret_cast<uv_stream_t*>(handle_.raw()), kListenBacklog, on_waiting);
  return status == 0 ? "" : error_text(status);
}

bool TcpListener::accept(TcpStream& into) {
  const int status = uv_accept(reinterpret_cast<uv_stream_t*>(handle_.raw()),
                               reinterpret_cast<uv_stream_t*>(into.handle_.raw()));
  if (status == 0) uv_tcp_nodelay(into.handle_.raw(), 1);
  return status == 0;
}

}  // namespace machida::uv
