// What a dataflow keeps over a restart, in all of its processes: process 0 has the store, gives the
// others theirs at a start, and gets from them what changed in an epoch. Keeps nothing unless told
// how. Worker's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "embed/gil.h"
#include "embed/pickling.h"
#include "server/store/rows.h"
#include "server/uv/loop.h"
#include "server/wire/link_message.h"
#include "server/worker/flow_keeper.h"
#include "server/worker/flow_peers.h"
#include "server/worker/flow_seats.h"
#include "server/worker/flow_states.h"

namespace machida::worker {

class FlowKeeping {
 public:
  // How states become bytes, where they are kept; the same in all processes.
  struct How {
    FlowKeeper* keeper = nullptr;  // in process 0; outlives the run
    embed::Pickling snapshots;
  };
  FlowKeeping(FlowPeers& peers, FlowSeats seats, std::optional<How> how)
      : peers_(peers), seats_(seats), how_(std::move(how)) {}

  bool keeps() const noexcept { return how_.has_value(); }

  // `states` by worker of this process; they outlive it.
  void begin(const embed::Gil&, const std::vector<std::vector<flow::EpochStates*>>& states);
  // In process 0: the states of the newest epoch, also those of the others. Returns its number, 0
  // when there is none. Throws what FlowKeeper and FlowStates::restore() do.
  std::uint64_t restore_all(const embed::Gil&);
  // All stored states have come.
  void restored();
  // A state for a step here or, in process 0, one that has changed elsewhere. False: it makes no
  // sense.
  bool take(const embed::Gil&, const wire::KeptState& state);

  // What has changed here goes to process 0.
  void end_epoch(const embed::Gil&);
  // In process 0, when all have told it what changed: stores that. `on_stored` is called on the
  // loop, maybe within store().
  void store(uv::Loop& loop, std::uint64_t epoch, std::function<void()> on_stored);
  // The run ends.
  void give_up();

 private:
  FlowPeers& peers_;
  const FlowSeats seats_;
  const std::optional<How> how_;
  std::optional<FlowStates> states_;
  std::vector<store::StateRows> rows_;  // of the epoch that ends, from all processes
};

}  // namespace machida::worker
