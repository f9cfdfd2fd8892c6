#include "server/flow/memory_exchange.h"

#include <utility>

namespace machida::flow {

void MemoryExchange::Sender::send(const embed::Gil&, std::uint32_t worker, StepAddress to,
                                  const Place&, Batch& records) {
  exchange_.arrivals_[worker].push_back({to, std::move(records)});
}

std::optional<MemoryExchange::Arrival> MemoryExchange::take(std::uint32_t worker) {
  std::deque<Arrival>& waiting = arrivals_[worker];
  if (waiting.empty()) return std::nullopt;
  Arrival arrival = std::move(waiting.front());
  waiting.pop_front();
  return arrival;
}

bool MemoryExchange::idle() const noexcept {
  for (const std::deque<Arrival>& waiting : arrivals_)
    if (!waiting.empty()) return false;
  return true;
}

}  // namespace machida::flow
