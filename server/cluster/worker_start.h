// What the supervisor tells a worker: at its start by descriptors that it inherits, later over its
// channel.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace machida::cluster {

// Where a worker finds the connections it goes on with (kept_connections.h).
struct KeptNumbers {
  int list = -1;   // -1: there are none
  int first = -1;  // of the sockets, which follow each other
  int count = 0;
};

// What a worker needs to know. Descriptors are numbers in its process, the same at every start.
struct WorkerStart {
  std::uint32_t index = 0;
  int control = -1;        // the link to the supervisor
  int channel = -1;        // for descriptors (uv::ParcelReader)
  std::vector<int> peers;  // the links to the others, by index; -1 at its own place
  pid_t supervisor = 0;    // for uv::die_with_parent, which it calls first
  KeptNumbers kept;        // connections that it goes on with
};

// To a worker on its channel, with the number of a worker that was replaced behind it and the
// descriptor of the link to the new one.
inline constexpr std::string_view kNewPeer = "peer ";
// The same with the number of a pipeline and a new client of it, which it is to take.
inline constexpr std::string_view kClient = "client ";

}  // namespace machida::cluster
