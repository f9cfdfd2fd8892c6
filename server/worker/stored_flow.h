// Keeps a dataflow's states and positions in recovery partitions, and brings them back. Worker's
// thread, under the lock, which it holds while the disk is written.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/pickling.h"
#include "server/base/system_time.h"
#include "server/checkpoint/state_rows.h"
#include "server/store/recovery_parts.h"
#include "server/worker/flow_run.h"

namespace machida::worker {

class StoredFlow final : public FlowKeeper {
 public:
  // Opens the partitions: throws store::PartsError and store::StoreError. `snapshots` makes bytes
  // of snapshots; `time` outlives it.
  StoredFlow(const embed::Gil&, const std::string& directory, std::int64_t backup_interval_us,
             embed::Pickling snapshots, const SystemTime& time);

  std::uint64_t newest_epoch() const override { return parts_.epoch(); }
  // Throws checkpoint::RecoveryError when a snapshot can't be used.
  void restore(const embed::Gil&,
               const std::vector<std::vector<flow::EpochStates*>>& states) override;
  // Throws checkpoint::StateNotSaved, store::StoreFull and store::StoreError.
  void store(const embed::Gil&, std::uint64_t epoch) override;

 private:
  store::RecoveryParts parts_;
  embed::Pickling snapshots_, keys_;
  checkpoint::RowWriter writer_;
  const SystemTime& time_;
  std::vector<flow::EpochStates*> states_;  // of all workers
};

}  // namespace machida::worker
