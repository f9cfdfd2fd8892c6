// The TCP connections of an application whose workers change: the old ones give them to the
// supervisor when they have drained, and the new ones find them open when they start. So clients
// and the peers of sinks notice nothing but a pause.
//
// Sockets go as descriptors; what was read from them and is no frame yet, and whose they are, goes
// in a list in memory that has a descriptor too.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.h"
#include "server/cluster/turns.h"
#include "server/uv/open_connection.h"
#include "server/uv/parcels.h"
#include "server/uv/socket_pair.h"

namespace machida::cluster {

struct KeptConnection {
  // A client of the pipeline's source, or its sink number `sink`.
  enum class End : std::uint32_t { kClient, kSink };
  End end = End::kClient;
  std::uint32_t pipeline = 0;
  std::uint32_t sink = 0;
  uv::OpenConnection open;
};
using KeptConnections = std::vector<KeptConnection>;

// All but the sockets.
Result<uv::Descriptor> write_list(const KeptConnections& connections);
// `sockets`: in the order of the list. Throws std::runtime_error when it is no list of so many.
KeptConnections read_list(int list, std::vector<uv::Descriptor> sockets);

// From the supervisor on a worker's channel: it is to hand over what it has when it has drained.
inline constexpr std::string_view kKeepConnections = "keep";

// In a worker that ends: blocks until the supervisor has all. Returns why it has not, or "".
std::string hand_over(int channel, const KeptConnections& connections);

// In the supervisor: the same of one worker as it arrives.
class KeptReceiver {
 public:
  // Of what came incompletely, because this process can have no more descriptors, nothing is kept:
  // with a warning.
  void take(uv::Parcel parcel);
  // Complete ones only.
  KeptConnections result() { return std::move(complete_); }

 private:
  std::vector<uv::Descriptor> sockets_;
  KeptConnections complete_;
};

// What each of the new workers, whose `turns` these are, goes on with: clients are shared out, a
// worker's sinks stay its own. The rest, sinks of workers that there will not be, is closed.
std::vector<KeptConnections> deal(std::vector<KeptConnections> of_old, Turns& turns);

}  // namespace machida::cluster
