#include "server/uv/bound_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace machida::uv {
namespace {

socklen_t size_of(const Address& address) {
  return address.raw()->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

bool set(int socket, int level, int option) {
  const int on = 1;
  return ::setsockopt(socket, level, option, &on, sizeof on) == 0;
}

// 0, or the error.
int bind_one(const Address& at, Descriptor& into) {
  into = Descriptor(::socket(at.raw()->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (into.get() < 0) return errno;
  if (!set(into.get(), SOL_SOCKET, SO_REUSEADDR)) return errno;
  if (at.raw()->sa_family == AF_INET6 && !set(into.get(), IPPROTO_IPV6, IPV6_V6ONLY)) return errno;
  return ::bind(into.get(), at.raw(), size_of(at)) == 0 ? 0 : errno;
}

}  // namespace

Result<std::vector<BoundSocket>> bind_all(const HostPort& where) {
  Result<std::vector<Address>> found = resolve_now(where);
  if (!found) return Error{found.error()};
  std::vector<BoundSocket> bound;
  std::uint16_t port = where.port;
  for (Address address : *found) {
    address.set_port(port);  // several addresses and port 0: all on the first one's
    Descriptor socket;
    const int error = bind_one(address, socket);
    if (error == EADDRNOTAVAIL || error == EAFNOSUPPORT) continue;
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (error != 0) return Error{error_text(-error)};
    if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0)
      return Error{error_text(-errno)};
    const Address at(reinterpret_cast<const sockaddr&>(storage));
    port = at.port();
    bound.push_back({std::move(socket), at});
  }
  if (bound.empty()) return Error{"it is no address of this machine"};
  return bound;
}

std::string start_listening(int socket) {
  return ::listen(socket, kListenBacklog) == 0 ? "" : error_text(-errno);
}

Result<Descriptor> connect_now(const HostPort& where) {
  const Result<std::vector<Address>> found = resolve_now(where);
  if (!found) return Error{found.error()};
  std::string why = "it has no address";
  for (const Address& address : *found) {
    Descriptor socket(::socket(address.raw()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket.get() >= 0 && ::connect(socket.get(), address.raw(), size_of(address)) == 0)
      return socket;
    why = error_text(-errno);
  }
  return Error{where.text() + ": " + why};
}

}  // namespace machida::uv
