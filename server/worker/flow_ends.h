// How the inputs of a dataflow come to their end, on all processes: stage by stage, since what one
// worker gives at its end may be an item for a step that has not ended in another. A process ends
// the steps up to an exchange when all have said that nothing will come to them. Worker's thread,
// under the lock.
#pragma once

#include <cstdint>
#include <vector>

#include "embed/gil.h"
#include "server/cluster/peers.h"
#include "server/worker/flow_streams.h"

namespace machida::worker {

class FlowEnds {
 public:
  // Both outlive it.
  FlowEnds(FlowStreams& streams, cluster::Peers& peers);

  // Ends what can be ended; whether there was something. Not while an epoch ends: what it gives
  // belongs to the next one.
  bool advance(const embed::Gil&);
  // What a peer said; advance() deals with it. False: it makes no sense.
  bool on_ended(const wire::Ended& ended);

  // In this process.
  bool ended(std::size_t stream) const { return streams_at_[stream].ended; }
  bool all_ended() const;

 private:
  struct At {
    std::size_t step = 0;     // where the stage begins that ends next
    std::uint32_t stage = 0;  // its number
    bool ended = false;
    std::vector<std::uint32_t> said;  // by stage: how many peers have ended it
  };
  bool may_end(std::size_t stream) const;

  FlowStreams& streams_;
  cluster::Peers& peers_;
  std::vector<At> streams_at_;
};

}  // namespace machida::worker
