// The epochs of a worker without a store: what a source has read counts as delivered when whatever
// became of it has been, on all workers. Only ended when a source asks. Worker's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "server/checkpoint/accord.h"
#include "server/worker/settlement.h"

namespace machida::worker {

class DeliveryRounds final : public checkpoint::EpochMember {
 public:
  explicit DeliveryRounds(Settlement& settlement) : settlement_(settlement) {}
  // Before anything is asked.
  void agree_with(checkpoint::Accord& accord) { accord_ = &accord; }

  // Calls back when all workers' sinks have delivered what came of the records read so far.
  void when_delivered(std::function<void()> then);
  // Forgets who asked: they are gone.
  void clear();

  void end_epoch(std::int64_t epoch) override;
  void commit(std::int64_t epoch) override { accord_->committed(epoch); }
  void close(std::int64_t epoch) override;

 private:
  Settlement& settlement_;
  checkpoint::Accord* accord_ = nullptr;
  std::vector<std::function<void()>> asked_;     // since the newest epoch ended
  std::vector<std::function<void()>> in_epoch_;  // that is in work
};

}  // namespace machida::worker
