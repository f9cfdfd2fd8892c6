// Keeps a dataflow's states and positions in recovery partitions, and brings them back. Worker's
// thread; the partitions are written on another one. A device without room is waited for, and that
// is said once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/base/system_time.h"
#include "server/store/recovery_parts.h"
#include "server/worker/flow_keeper.h"

namespace machida::worker {

class StoredFlow final : public FlowKeeper {
 public:
  // Opens the partitions: throws store::PartsError and store::StoreError. `time` outlives it.
  StoredFlow(const std::string& directory, std::int64_t backup_interval_us, const SystemTime& time);

  std::uint64_t newest_epoch() const override { return parts_->epoch(); }
  // Throws store::StoreError.
  void read(const OnState& on_state) override { parts_->read_states(on_state); }
  void store(uv::Loop& loop, std::uint64_t epoch, std::vector<store::StateRows> rows,
             std::function<void()> on_stored) override;
  void give_up() override;

 private:
  // What the thread that writes and the worker's share.
  struct Waiting;

  std::unique_ptr<store::RecoveryParts> parts_;
  std::shared_ptr<Waiting> waiting_;
  const SystemTime& time_;
};

}  // namespace machida::worker
