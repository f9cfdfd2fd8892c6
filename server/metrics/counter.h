// Numbers that only grow. One thread adds, any thread reads.
// Names: machida_<room>_<what>_<unit>_total, labels as in Prometheus' text format.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace machida::metrics {

class Counter {
 public:
  // Only the owning thread: a load and a store are cheaper than an atomic addition.
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

using Labels = std::vector<std::pair<std::string, std::string>>;

// Owns every counter of one worker. Counters live as long as the registry.
class Registry {
 public:
  // The counter of that name and labels; made at the first call.
  Counter& counter(const std::string& name, const Labels& labels = {});

  // The sum over all labels.
  std::uint64_t total(const std::string& name) const;

  void each(
      const std::function<void(const std::string& name, const Labels&, std::uint64_t)>&) const;

 private:
  struct Entry {
    std::string name;
    Labels labels;
    Counter counter;
  };
  mutable std::mutex mutex_;  // guards the list, not the counts
  std::deque<Entry> entries_;
};

}  // namespace machida::metrics
