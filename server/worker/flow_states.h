// What the workers of this process remember of a dataflow, as rows: those that changed in an epoch
// are gathered, stored ones are given to whom they belong. Worker's thread, under the lock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "embed/gil.h"
#include "embed/pickling.h"
#include "server/checkpoint/state_rows.h"
#include "server/flow/epoch_states.h"
#include "server/flow/key_owners.h"
#include "server/store/rows.h"
#include "server/worker/flow_seats.h"

namespace machida::worker {

class FlowStates {
 public:
  // `states` by worker of this process; they outlive it. `snapshots` makes bytes of snapshots.
  FlowStates(const embed::Gil&, const std::vector<std::vector<flow::EpochStates*>>& states,
             FlowSeats seats, embed::Pickling snapshots);

  // Takes a stored state if a worker here needs it: positions of partitions all do, since who has a
  // partition is found later; others belong to their key's owner. Returns the process that needs
  // it: kAll, or kNone when the dataflow has no such step. Throws checkpoint::RecoveryError.
  static constexpr std::uint32_t kAll = 0xffffffff;
  static constexpr std::uint32_t kNone = 0xfffffffe;
  std::uint32_t restore(const embed::Gil&, const std::string& step, const store::Key& key,
                        std::string_view snapshot);
  // All stored states have come; warns of those that nobody needs.
  void restored();

  // What changed until now and since the last call. Throws checkpoint::StateNotSaved.
  std::vector<store::StateRows> end_epoch(const embed::Gil&);

 private:
  // By worker of this process; null where a worker has none.
  using OfStep = std::vector<flow::EpochStates*>;
  std::uint32_t give(const embed::Gil&, const OfStep& states, const store::Key& key,
                     std::string_view snapshot);

  const FlowSeats seats_;
  const flow::KeyOwners owners_;
  embed::Pickling snapshots_, keys_;
  checkpoint::RowWriter writer_;
  std::map<std::string, OfStep, std::less<>> by_step_;
  std::map<std::string, std::uint64_t> unknown_;  // how many of which step
  std::vector<flow::EpochStates*> all_;
};

}  // namespace machida::worker
