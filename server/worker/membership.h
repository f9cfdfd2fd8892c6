// One worker among the others: its links to them and to the supervisor, what goes over them, and
// the coordination of their epochs. Alone it has no links and everything is agreed at once.
// Worker's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "embed/gil.h"
#include "server/cluster/coordination.h"
#include "server/cluster/kept_connections.h"
#include "server/cluster/link.h"
#include "server/cluster/link_exchange.h"
#include "server/cluster/peers.h"
#include "server/cluster/worker_start.h"
#include "server/flow/batch_codec.h"
#include "server/flow/intake.h"
#include "server/metrics/counter.h"
#include "server/uv/loop.h"
#include "server/uv/parcels.h"
#include "server/worker/assembly.h"

namespace machida::worker {

// What a worker was started as. Descriptors are numbers in this process.
struct SeatOptions {
  std::uint32_t index = 0;
  std::uint32_t workers = 1;
  int control = -1;  // the link to the supervisor; -1: there is none
  int channel = -1;  // for descriptors
  cluster::KeptNumbers kept;
  std::vector<int> peers;  // by index; -1 at its own place

  bool alone() const noexcept { return workers == 1; }
};

class Membership final : public cluster::Peers, public cluster::LinkEvents {
 public:
  struct Calls {
    std::function<void()> on_ready;  // all workers can take records
    std::function<void()> on_drain;  // the supervisor wants it
    // Another worker's run has failed, and the supervisor wants this one's to end, too.
    std::function<void(std::string_view why)> on_failed;
    std::function<void()> on_keep;  // the same, and then it wants the connections
    // The supervisor has accepted it for this worker.
    std::function<void(std::uint32_t pipeline, uv::Descriptor client)> on_client;
    std::function<void()> on_drained;  // all workers' sources have, and their last epoch has closed
    std::function<void(std::uint32_t worker)> on_peer_lost;
    // See cluster::Coordination; null: steps keep what they hold.
    std::function<void()> on_stage_over = nullptr;
  };
  // `intake` is paused when a link or another worker's sinks are full. Throws std::runtime_error
  // when the descriptors are no links.
  Membership(uv::Loop& loop, flow::Intake& intake, const SeatOptions& seat,
             const std::string& application, flow::BatchCodec codec, metrics::Registry& metrics,
             Calls calls);

  // For the assembly.
  Seat seat();
  // Before the loop runs. `member`: who ends this worker's epochs.
  void begin(Assembly& assembly, checkpoint::EpochMember& member, std::int64_t newest_epoch,
             bool member_in_work);
  cluster::Coordination& coordination() { return *coordination_; }

  // This worker's sinks are full, or not any more: nothing shall come in anywhere.
  void sinks_full(bool full);
  // What was said leaves now: the loop is about to stop.
  void flush();
  void tell_supervisor(const wire::LinkMessage& message);
  // Behind the end of the loop, if the supervisor wanted it. Returns why it has them not, or "".
  std::string hand_over(const cluster::KeptConnections& connections);
  // The run has failed: records of others are dropped from here on.
  void abandon() { abandoned_ = true; }

  std::uint32_t own() const override { return seat_.index; }
  std::uint32_t workers() const override { return seat_.workers; }
  void send(std::uint32_t worker, const wire::LinkMessage& message) override;

 private:
  void take_parcel(uv::Parcel parcel);
  void drain();
  void replace_peer(std::uint32_t peer, uv::Descriptor link);
  std::unique_ptr<cluster::Link> link_to(std::uint32_t peer, uv::Descriptor fd);
  void on_messages(cluster::Link& from, std::span<const wire::LinkMessage> messages) override;
  void on_full(cluster::Link&) override { intake_.pause(); }
  void on_room(cluster::Link&) override { intake_.resume(); }
  void on_lost(cluster::Link& link, const std::string& why) override;
  void take(std::uint32_t from, const wire::LinkMessage& message);

  uv::Loop& loop_;
  flow::Intake& intake_;
  const std::string application_;
  metrics::Registry& metrics_;
  const SeatOptions seat_;
  const Calls calls_;
  cluster::LinkExchange exchange_;
  std::unique_ptr<cluster::Link> supervisor_;
  std::optional<uv::ParcelReader> channel_;
  std::vector<std::unique_ptr<cluster::Link>> peers_;  // by index; null: own place, or lost
  std::vector<bool> paused_by_;                        // by index: its sinks are full
  std::uint64_t lost_ = 0;                             // records for workers that are gone
  bool sinks_full_ = false;
  Assembly* assembly_ = nullptr;
  std::optional<cluster::Coordination> coordination_;
  bool abandoned_ = false;
};

}  // namespace machida::worker
