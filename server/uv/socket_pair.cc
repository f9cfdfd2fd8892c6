#include "server/uv/socket_pair.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "server/uv/loop.h"

namespace machida::uv {

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<SocketPair> socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    return Error{"no socket pair: " + error_text(-errno)};
  return SocketPair{Descriptor(ends[0]), Descriptor(ends[1])};
}

}  // namespace machida::uv
