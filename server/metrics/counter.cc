#include "server/metrics/counter.h"

namespace machida::metrics {

Counter& Registry::counter(const std::string& name, const Labels& labels) {
  std::lock_guard lock(mutex_);
  for (Entry& entry : entries_)
    if (entry.name == name && entry.labels == labels) return entry.counter;
  Entry& made = entries_.emplace_back();
  made.name = name;
  made.labels = labels;
  return made.counter;
}

std::uint64_t Registry::total(const std::string& name) const {
  std::uint64_t sum = 0;
  each([&sum, &name](const std::string& candidate, const Labels&, std::uint64_t value) {
    if (candidate == name) sum += value;
  });
  return sum;
}

void Registry::each(
    const std::function<void(const std::string&, const Labels&, std::uint64_t)>& visit) const {
  std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) visit(entry.name, entry.labels, entry.counter.value());
}

}  // namespace machida::metrics
