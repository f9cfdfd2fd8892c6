#include "server/uv/unix_listener.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace machida::uv {
namespace {

// False: the path is too long for an address.
bool address_of(const std::string& path, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  return true;
}

Error too_long(const std::string& path) {
  return Error{path + ": is too long for the address of a socket"};
}

}  // namespace

Result<std::unique_ptr<UnixListener>> UnixListener::make(const std::string& path) {
  sockaddr_un address;
  if (!address_of(path, address)) return too_long(path);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ::unlink(path.c_str());
  if (socket.get() < 0 ||
      ::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket.get(), 8) != 0)
    return Error{path + ": can't be listened on: " + error_text(-errno)};
  return std::unique_ptr<UnixListener>(new UnixListener(path, std::move(socket)));
}

UnixListener::~UnixListener() { ::unlink(path_.c_str()); }

AcceptWatch::AcceptWatch(Loop& loop, int listening, std::function<void(Descriptor)> on_connection)
    : loop_(loop), fd_(listening), on_connection_(std::move(on_connection)), handle_(this) {
  require(uv_poll_init(loop.raw(), handle_.raw(), fd_), "uv_poll_init");
  handle_.opened();
  resume();
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_.raw()));
}

void AcceptWatch::pause() { uv_poll_stop(handle_.raw()); }

void AcceptWatch::resume() {
  if (uv_is_active(reinterpret_cast<uv_handle_t*>(handle_.raw()))) return;
  const auto on_readable = [](uv_poll_t* raw, int status, int) {
    auto* self = Handle<uv_poll_t>::owner_of<AcceptWatch>(raw);
    if (!self || status != 0) return;
    Descriptor accepted(::accept4(self->fd_, nullptr, nullptr, SOCK_CLOEXEC));
    if (accepted.get() < 0) return;
    self->loop_.guard([self, &accepted] { self->on_connection_(std::move(accepted)); });
  };
  require(uv_poll_start(handle_.raw(), UV_READABLE, on_readable), "uv_poll_start");
}

Result<Descriptor> connect_unix(const std::string& path) {
  sockaddr_un address;
  if (!address_of(path, address)) return too_long(path);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0 ||
      ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return Error{path + ": " + error_text(-errno)};
  return socket;
}

}  // namespace machida::uv
