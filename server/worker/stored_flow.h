// Keeps a dataflow's states and positions in recovery partitions, and brings them back. Worker's
// thread, which waits while the disk is written.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/base/system_time.h"
#include "server/store/recovery_parts.h"
#include "server/worker/flow_keeper.h"

namespace machida::worker {

class StoredFlow final : public FlowKeeper {
 public:
  // Opens the partitions: throws store::PartsError and store::StoreError. `time` outlives it.
  StoredFlow(const std::string& directory, std::int64_t backup_interval_us, const SystemTime& time)
      : parts_(directory, backup_interval_us), time_(time) {}

  std::uint64_t newest_epoch() const override { return parts_.epoch(); }
  // Throws store::StoreError.
  void read(const OnState& on_state) override { parts_.read_states(on_state); }
  // Throws store::StoreFull and store::StoreError.
  void store(std::uint64_t epoch, std::vector<store::StateRows> rows,
             std::function<void()> on_stored) override;

 private:
  store::RecoveryParts parts_;
  const SystemTime& time_;
};

}  // namespace machida::worker
