// How the processes of a dataflow agree on the partitions of its sources and sinks: each says which
// it sees, process 0 shares them out among the workers of those that see them, and tells all.
// Worker's thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "server/cluster/peers.h"
#include "server/flow/owned_parts.h"
#include "server/worker/flow_seats.h"

namespace machida::worker {

class FlowPartitions {
 public:
  // `peers` outlives it.
  FlowPartitions(cluster::Peers& peers, FlowSeats seats)
      : peers_(peers), seats_(seats), listed_(seats.processes) {}

  // What this process sees: names by source and then by sink. First of all.
  void list(std::vector<std::vector<std::string>> names);
  // What another process says. False: it makes no sense.
  bool take(std::uint32_t from, const wire::Partition& partition);
  bool take(std::uint32_t from, const wire::Listed& listed);

  // In process 0: all processes have said what they see.
  bool all_listed() const;
  // In process 0, then: who has which; the others hear it.
  void share_out();
  // What was agreed on, by source and then by sink.
  std::vector<flow::OwnedParts> take_agreed() { return std::move(agreed_); }

 private:
  cluster::Peers& peers_;
  const FlowSeats seats_;
  struct OfProcess {
    std::vector<std::vector<std::string>> names;  // by source and then by sink
    bool complete = false;
  };
  std::vector<OfProcess> listed_;  // all of them only in process 0
  std::vector<flow::OwnedParts> agreed_;
};

}  // namespace machida::worker
