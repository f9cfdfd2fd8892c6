#include "server/worker/delivery_rounds.h"

#include <utility>

namespace machida::worker {

void DeliveryRounds::when_delivered(std::function<void()> then) {
  asked_.push_back(std::move(then));
  accord_->want_end();
}

void DeliveryRounds::clear() {
  asked_.clear();
  in_epoch_.clear();
}

void DeliveryRounds::end_epoch(std::int64_t epoch) {
  in_epoch_ = std::exchange(asked_, {});
  settlement_.when_delivered([this, epoch] { accord_->stored(epoch); });
}

void DeliveryRounds::close(std::int64_t epoch) {
  for (const std::function<void()>& then : std::exchange(in_epoch_, {})) then();
  accord_->closed(epoch);
}

}  // namespace machida::worker
