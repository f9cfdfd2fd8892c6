#include "server/worker/flow_ends.h"

#include <algorithm>

namespace machida::worker {

FlowEnds::FlowEnds(FlowStreams& streams, cluster::Peers& peers)
    : streams_(streams), peers_(peers), streams_at_(streams.size()) {
  for (At& at : streams_at_) at.said.resize(streams.stages() + 1);
}

bool FlowEnds::may_end(std::size_t stream) const {
  const At& at = streams_at_[stream];
  if (at.ended) return false;
  if (at.stage == 0) return streams_.sources_ended(stream);
  return at.said[at.stage - 1] == peers_.workers() - 1;
}

bool FlowEnds::advance(const embed::Gil& gil) {
  bool advanced = false;
  for (std::size_t i = 0; i < streams_at_.size(); ++i)
    while (may_end(i)) {
      At& at = streams_at_[i];
      at.step = streams_.end_stage(gil, i, at.step);
      at.ended = at.step == streams_.steps(i);
      if (!at.ended) peers_.send_all(wire::Ended{static_cast<std::uint32_t>(i), at.stage});
      ++at.stage;
      advanced = true;
    }
  return advanced;
}

bool FlowEnds::on_ended(const wire::Ended& ended) {
  if (ended.stream >= streams_at_.size() || ended.stage > streams_.stages()) return false;
  return ++streams_at_[ended.stream].said[ended.stage] < peers_.workers();
}

bool FlowEnds::all_ended() const {
  return std::all_of(streams_at_.begin(), streams_at_.end(), [](const At& at) { return at.ended; });
}

}  // namespace machida::worker
