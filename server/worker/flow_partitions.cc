#include "server/worker/flow_partitions.h"

#include <algorithm>

namespace machida::worker {

void FlowPartitions::list(std::vector<std::vector<std::string>> names) {
  agreed_.resize(names.size());
  for (OfProcess& of_process : listed_) of_process.names.resize(names.size());
  if (seats_.process != 0) {
    for (std::uint32_t of = 0; of < names.size(); ++of)
      for (const std::string& name : names[of])
        peers_.send(0, wire::Partition{.of = of, .worker = 0, .name = name});
    peers_.send(0, wire::Listed{});
  }
  listed_[seats_.process] = {std::move(names), true};
}

bool FlowPartitions::take(std::uint32_t from, const wire::Partition& partition) {
  if (partition.of >= agreed_.size()) return false;
  if (seats_.process != 0) {
    if (from != 0 || partition.worker >= seats_.workers()) return false;
    agreed_[partition.of].push_back({std::string(partition.name), partition.worker});
    return true;
  }
  if (listed_[from].complete) return false;
  listed_[from].names[partition.of].emplace_back(partition.name);
  return true;
}

bool FlowPartitions::take(std::uint32_t from, const wire::Listed&) {
  return seats_.process == 0 && !std::exchange(listed_[from].complete, true);
}

bool FlowPartitions::all_listed() const {
  return std::all_of(listed_.begin(), listed_.end(),
                     [](const OfProcess& of_process) { return of_process.complete; });
}

void FlowPartitions::share_out() {
  for (std::uint32_t of = 0; of < agreed_.size(); ++of) {
    std::vector<std::vector<std::string>> names;
    for (const OfProcess& of_process : listed_) names.push_back(of_process.names[of]);
    agreed_[of] = flow::share_out(names, seats_.here);
    for (const flow::OwnedPart& part : agreed_[of])
      peers_.send_all(wire::Partition{.of = of, .worker = part.worker, .name = part.name});
  }
}

}  // namespace machida::worker
