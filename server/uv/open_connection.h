// A TCP connection between two owners: it belongs to no loop, and may go to another process.
#pragma once

#include <string>

#include "server/uv/socket_pair.h"

namespace machida::uv {

struct OpenConnection {
  Descriptor socket;
  std::string unread;  // what was read from it and not used: comes before what the socket gives
};

}  // namespace machida::uv
