// Sockets that are bound before somebody listens: the addresses stay the application's when its
// workers are started again.
#pragma once

#include <string>
#include <vector>

#include "server/base/host_port.h"
#include "server/base/result.h"
#include "server/uv/address.h"
#include "server/uv/socket_pair.h"

namespace machida::uv {

// Connections that wait to be accepted.
inline constexpr int kListenBacklog = 1024;

struct BoundSocket {
  Descriptor socket;
  Address address;  // with the port that the system chose if it was 0
};

// On every address of the name that this machine has. Blocks.
Result<std::vector<BoundSocket>> bind_all(const HostPort& where);

// From now on connections to a bound socket wait to be accepted; idempotent. Returns why not, or
// "".
std::string start_listening(int socket);

// A connection to the first address of the name that answers. Blocks.
Result<Descriptor> connect_now(const HostPort& where);

}  // namespace machida::uv
