#include "server/uv/unix_listener.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "server/uv/loop.h"

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
