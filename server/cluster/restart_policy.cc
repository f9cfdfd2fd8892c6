#include "server/cluster/restart_policy.h"

#include <algorithm>

namespace machida::cluster {

std::optional<std::uint64_t> RestartPolicy::died(std::uint64_t now_ms) {
  while (!deaths_ms_.empty() && deaths_ms_.front() + kWindowMs < now_ms) deaths_ms_.pop_front();
  deaths_ms_.push_back(now_ms);
  if (deaths_ms_.size() >= kDeathsMax) return std::nullopt;
  if (now_ms - started_ms_ >= kHealthyMs) backoff_ms_ = kBackoffMsMin;
  const std::uint64_t wait_ms = backoff_ms_;
  backoff_ms_ = std::min(2 * backoff_ms_, kBackoffMsMax);
  return wait_ms;
}

}  // namespace machida::cluster
