// One worker of a simulation: the server's pipelines, exchange, states, epochs, journal replay and
// coordination, put together as worker::Worker, worker::Resilience and worker::Membership do, with
// the scheduler in place of the event loop.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "server/base/system_time.h"
#include "server/checkpoint/epochs.h"
#include "server/checkpoint/journaled_inputs.h"
#include "server/checkpoint/state_rows.h"
#include "server/cluster/coordination.h"
#include "server/cluster/link_exchange.h"
#include "server/cluster/peers.h"
#include "server/flow/dead_letters.h"
#include "server/flow/intake.h"
#include "server/metrics/counter.h"
#include "server/worker/assembly.h"
#include "tests/sim/disk.h"
#include "tests/sim/link.h"
#include "tests/sim/scenario.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/sinks.h"
#include "tests/sim/sources.h"

namespace machida::sim {

// What the workers find around them, and leave behind.
struct Surroundings {
  Scheduler& scheduler;
  const Scenario& scenario;
  Broker& broker;
  Clients& clients;
  Disk& disk;
  const DiskTroubles& troubles;  // at this time
};

class Worker final : public cluster::Peers,
                     public checkpoint::Surroundings,
                     public worker::Outlets,
                     public flow::DeadLetters {
 public:
  struct Seat {
    std::uint32_t index = 0, workers = 1;
    std::int64_t resume_epoch = 0;
    bool settle = false;  // sources don't open: what there is is brought to its end
  };
  // `on_failed`: something that must never happen has happened.
  Worker(const embed::Gil&, sim::Surroundings& around, Seat seat,
         std::function<void(const std::string&)> on_failed);
  ~Worker() override;

  // To another one; before start().
  void connect(Worker& peer);
  void start();
  void drain();
  void on_peer_lost();
  bool has_ended() const noexcept { return phase_ == Phase::kStopped; }
  // Nothing in the log's partitions that are this worker's, or in its journal, is left to read.
  bool at_the_end() const {
    return phase_ == Phase::kRunning && !replaying_ && log_reader_->at_the_end();
  }
  bool is_replaying() const noexcept { return replaying_; }
  void accept(std::size_t client) { client_reader_->connect(client); }
  // Whether it still exists, for what comes to it later.
  std::shared_ptr<const bool> alive() const { return alive_; }
  // The process is killed: what its threads were at may still happen, as the seed wants.
  void die();

 private:
  enum class Phase { kConnecting, kWaiting, kRunning, kDraining, kStopped };

  std::uint32_t own() const override { return seat_.index; }
  std::uint32_t workers() const override { return seat_.workers; }
  void send(std::uint32_t worker, const wire::LinkMessage& message) override;
  void on_bytes(std::uint32_t from, std::string_view bytes);
  void take(std::uint32_t from, const wire::LinkMessage& message);
  void sinks_full(bool full);

  void offload(std::function<void()> work, std::function<void()> done) override;
  void work_soon() override;
  void work_after(std::uint64_t delay_ms) override;
  std::chrono::steady_clock::time_point now() override;

  flow::Outlet& of_bytes(std::size_t pipeline, std::size_t sink) override;
  flow::MessageOutlet& of_messages(std::size_t pipeline, std::size_t sink) override;
  flow::RecordOutlet& of_records(std::size_t pipeline, std::size_t sink) override;

  void add(const embed::Gil&, const flow::Place& place, const embed::PythonError& error,
           _object* input) override;

  void open_disk();
  void make_sinks();
  void restore(const embed::Gil&);
  void make_coordination();
  void make_readers();
  bool closes_first() const { return newest_.epoch.number > 0 && !newest_.closed; }

  void on_sinks_connected();
  void on_all_ready();
  void start_epochs();
  void tick();
  void tick_later();
  void work();
  void end_epoch_soon();
  void replay();
  void open_sources();
  void look_whether_drained();
  void end();

  void later(std::uint64_t delay_us_max, std::function<void()> action);
  void note(std::string_view what, std::int64_t a = 0, std::int64_t b = 0) {
    scheduler_.note(what, seat_.index, a, b);
  }

  sim::Surroundings& around_;
  Scheduler& scheduler_;
  const Scenario& scenario_;
  // Applications here have no windows.
  struct StillTime final : SystemTime {
    std::int64_t now_us() const override { return 0; }
  };

  const Seat seat_;
  const StillTime time_;
  const std::function<void(const std::string&)> on_failed_;
  metrics::Registry metrics_;
  flow::Intake intake_, sinks_room_;
  cluster::LinkExchange exchange_;
  std::map<std::uint32_t, std::unique_ptr<Link>> links_;  // to the peers
  std::map<std::uint32_t, std::unique_ptr<wire::LinkReader>> readers_;
  std::vector<wire::LinkMessage> messages_;

  std::unique_ptr<store::EpochStore> store_;
  store::EpochStore::Newest newest_;
  std::unique_ptr<store::InputJournal> journal_;
  std::unique_ptr<checkpoint::JournaledInputs> inputs_;
  checkpoint::RowWriter rows_;
  std::unique_ptr<TransactionSink> transactions_;
  std::unique_ptr<ConnectionSink> connection_;
  std::unique_ptr<worker::Assembly> assembly_;
  std::vector<flow::EpochStates*> states_;
  std::unique_ptr<LogReader> log_reader_;
  std::unique_ptr<ClientReader> client_reader_;
  std::unique_ptr<checkpoint::EpochMember> member_;  // epochs_, once they are there
  std::optional<cluster::Coordination> coordination_;
  std::unique_ptr<checkpoint::Epochs> epochs_;
  std::function<void()> on_thread_;  // work of the store that is under way
  std::uint64_t ticks_ = 0;
  std::uint64_t slice_us_ = 0;
  bool end_soon_ = false, work_asked_ = false;
  bool replaying_ = false, drain_wanted_ = false, peer_lost_ = false;
  Phase phase_ = Phase::kConnecting;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace machida::sim
