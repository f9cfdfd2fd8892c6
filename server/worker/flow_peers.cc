#include "server/worker/flow_peers.h"

#include <utility>

namespace machida::worker {

FlowPeers::FlowPeers(uv::Loop& loop, flow::Intake& intake, FlowSeats seats,
                     const std::vector<int>& links, const std::string& dataflow,
                     metrics::Registry& metrics, Calls calls)
    : intake_(intake), seats_(seats), calls_(std::move(calls)), links_(seats.processes) {
  if (links.size() != (seats.processes == 1 ? 0 : seats.processes))
    throw std::runtime_error("there must be a link for each process of the dataflow");
  for (std::uint32_t i = 0; i < links.size(); ++i) {
    if (i == seats_.process) continue;
    cluster::LinkEnds ends{
        .application = dataflow, .workers = seats_.processes, .own = seats_.process, .peer = i};
    links_[i] = std::make_unique<cluster::Link>(loop, *this, std::move(ends),
                                                uv::Descriptor(links[i]), metrics);
  }
}

void FlowPeers::send(std::uint32_t process, const wire::LinkMessage& message) {
  if (links_[process]) links_[process]->send(message);
}

void FlowPeers::flush() {
  for (const auto& link : links_)
    if (link) link->flush();
}

void FlowPeers::on_messages(cluster::Link& from, std::span<const wire::LinkMessage> messages) {
  const embed::GilLock gil;
  for (const wire::LinkMessage& message : messages)
    if (std::holds_alternative<wire::Pause>(message))
      intake_.pause();
    else if (std::holds_alternative<wire::Resume>(message))
      intake_.resume();
    else
      calls_.on_message(gil, from.peer(), message);
  calls_.on_read();
}

void FlowPeers::on_full(cluster::Link&) {
  intake_.pause();
  send_all(wire::Pause{});
}

void FlowPeers::on_room(cluster::Link&) {
  intake_.resume();
  send_all(wire::Resume{});
}

void FlowPeers::on_lost(cluster::Link& link, const std::string& why) {
  const std::uint32_t process = link.peer();
  links_[process].reset();
  calls_.on_lost(process, why);
}

}  // namespace machida::worker
