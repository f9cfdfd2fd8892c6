// What the supervisor does about deaths: how long it waits before all workers start again, and when
// it has seen enough. Arithmetic on a clock that others read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace machida::cluster {

class RestartPolicy {
 public:
  // The wait doubles with every death, and starts anew when the workers have lived for a while.
  static constexpr std::uint64_t kBackoffMsMin = 100, kBackoffMsMax = 10'000;
  static constexpr std::uint64_t kHealthyMs = 30'000;
  // So many deaths in such a time, without progress between them, and it is over.
  static constexpr std::size_t kDeathsMax = 5;
  static constexpr std::uint64_t kWindowMs = 60'000;

  void started(std::uint64_t now_ms) { started_ms_ = now_ms; }
  void progressed() { deaths_ms_.clear(); }

  // After a death: how many milliseconds to wait for the next start. Nothing: give up.
  std::optional<std::uint64_t> died(std::uint64_t now_ms);

 private:
  std::uint64_t started_ms_ = 0;
  std::uint64_t backoff_ms_ = kBackoffMsMin;  // after the next death
  std::deque<std::uint64_t> deaths_ms_;
};

}  // namespace machida::cluster
