// The other processes of a dataflow: a link to each, and what they ask of this one's sources. Alone
// it has no links. Worker's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "server/cluster/link.h"
#include "server/cluster/peers.h"
#include "server/flow/intake.h"
#include "server/metrics/counter.h"
#include "server/uv/loop.h"
#include "server/worker/flow_seats.h"

namespace machida::worker {

// Another process of the dataflow has failed, or is gone; it or who watches it says why.
class PeerFailed : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

class FlowPeers final : public cluster::Peers, public cluster::LinkEvents {
 public:
  struct Calls {
    // All that a peer says but Pause and Resume.
    std::function<void(const embed::Gil&, std::uint32_t from, const wire::LinkMessage&)> on_message;
    // Those of one read were dealt with.
    std::function<void()> on_read;
    std::function<void(std::uint32_t process, const std::string& why)> on_lost;
  };
  // `links`: descriptors by process, -1 at its own place; empty when it is alone. `dataflow`: what
  // all processes must agree on. `intake` is paused while a link is full, anywhere: so what waits
  // between processes has a limit. Throws std::runtime_error when a descriptor is no link.
  FlowPeers(uv::Loop& loop, flow::Intake& intake, FlowSeats seats, const std::vector<int>& links,
            const std::string& dataflow, metrics::Registry& metrics, Calls calls);

  std::uint32_t own() const override { return seats_.process; }
  std::uint32_t workers() const override { return seats_.processes; }
  void send(std::uint32_t process, const wire::LinkMessage& message) override;
  // What was said leaves now: the loop is about to stop.
  void flush();

 private:
  void on_messages(cluster::Link& from, std::span<const wire::LinkMessage> messages) override;
  void on_full(cluster::Link&) override;
  void on_room(cluster::Link&) override;
  void on_lost(cluster::Link& link, const std::string& why) override;

  flow::Intake& intake_;
  const FlowSeats seats_;
  const Calls calls_;
  std::vector<std::unique_ptr<cluster::Link>> links_;  // by process; null: own place, or lost
};

}  // namespace machida::worker
