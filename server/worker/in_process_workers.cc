#include "server/worker/in_process_workers.h"

#include <optional>
#include <utility>

namespace machida::worker {

InProcessWorkers::InProcessWorkers(const embed::Gil& gil, const plan::Plan& plan,
                                   UnknownKeyPolicy unknown_keys, std::size_t frame_bytes_max,
                                   std::uint32_t workers)
    : exchange_(workers) {
  for (std::uint32_t index = 0; index < workers; ++index)
    workers_.push_back(std::make_unique<InProcess>(
        gil, plan, unknown_keys, frame_bytes_max,
        Seat{.index = index,
             .workers = workers,
             .exchange = workers > 1 ? &exchange_.exchange() : nullptr}));
}

InProcess& InProcessWorkers::next() {
  InProcess& worker = *workers_[next_];
  next_ = (next_ + 1) % workers_.size();
  return worker;
}

void InProcessWorkers::exchange(const embed::Gil& gil) {
  while (!exchange_.idle())
    for (std::uint32_t index = 0; index < workers_.size(); ++index)
      while (std::optional<flow::MemoryExchange::Arrival> arrival = exchange_.take(index))
        workers_[index]->receive(gil, std::move(*arrival));
}

void InProcessWorkers::end(const embed::Gil& gil) {
  const std::size_t pipelines = workers_.front()->assembly().pipelines().size();
  for (std::size_t pipeline = 0; pipeline < pipelines; ++pipeline) {
    std::size_t first = 0, next = 0;
    const std::size_t steps = workers_.front()->assembly().pipelines()[pipeline]->steps();
    for (; first < steps; first = next) {
      for (const auto& worker : workers_) next = worker->end_stage(gil, pipeline, first);
      exchange(gil);
    }
  }
}

}  // namespace machida::worker
