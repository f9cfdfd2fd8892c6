// Runs a dataflow, or this process's part of it, in the calling thread: its workers in turn, on one
// event loop, until the inputs have ended on all processes, a signal drains it, or user code fails.
//
// A turn of the loop runs rounds for at most 2 ms: in a round each partition that is awake is
// polled once. An epoch ends between two rounds, when nothing is under way between workers, on all
// processes between the same items (cluster/coordination): so everything that is stored of it
// belongs together. Process 0 has the store; the others send it what changed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "server/base/system_time.h"
#include "server/checkpoint/accord.h"
#include "server/cluster/coordination.h"
#include "server/cluster/link_exchange.h"
#include "server/flow/dead_letters.h"
#include "server/flow/intake.h"
#include "server/flow/signal_handlers.h"
#include "server/metrics/counter.h"
#include "server/plan/dataflow.h"
#include "server/uv/loop.h"
#include "server/uv/readable.h"
#include "server/uv/stop_signal.h"
#include "server/uv/timer.h"
#include "server/worker/flow_ends.h"
#include "server/worker/flow_keeping.h"
#include "server/worker/flow_partitions.h"
#include "server/worker/flow_peers.h"
#include "server/worker/flow_seats.h"
#include "server/worker/flow_streams.h"

namespace machida::worker {

struct FlowOptions {
  std::int64_t epoch_interval_us = 10'000'000;  // 0: each round is an epoch
  FlowSeats seats;
  std::vector<int> links;  // to the other processes, by number; -1 at its own place
  // What SIGTERM and SIGINT do; only on the process's main thread.
  enum class Signals {
    kLeave,         // to others
    kDrainThenEnd,  // the first drains, the second ends the process
    kDrain,         // others only the first: whoever watches this process ends it
  };
  Signals signals = Signals::kLeave;
  std::vector<int> stop_signals;  // those of the two that the application has no handler for
  bool on_main_thread = false;    // where Python calls the application's signal handlers
};

class FlowRun final : private checkpoint::EpochMember {
 public:
  // `plan`, `failures` and `metrics` outlive it.
  FlowRun(const embed::Gil&, const plan::Dataflow& plan, FlowOptions options,
          flow::DeadLetters& failures, metrics::Registry& metrics,
          std::optional<FlowKeeping::How> keeping);
  ~FlowRun();

  enum class End { kFinished, kAborted, kDrained };
  // Without the lock. Throws what `failures` throws, PeerFailed, and what the keeper does; sources
  // and sinks are closed then, too, and the other processes told.
  End run();
  // What asked for the drain: SIGTERM or SIGINT; 0: another process.
  int signal() const noexcept { return signal_; }

 private:
  std::string failure_text() const;
  void begin(const embed::Gil&);
  void share_out(const embed::Gil&);
  void start(const embed::Gil&, std::uint64_t newest_epoch);
  void turn();
  bool round(const embed::Gil&, std::int64_t& now_us);
  bool may_read() const;
  bool look_whether_epoch_is_over(bool busy, std::int64_t now_us);
  bool has_clock() const { return options_.seats.process == 0 && options_.epoch_interval_us > 0; }
  void wait(const embed::Gil&);
  void run_signal_handlers();
  void sources_ended();
  void finish(const embed::Gil&, End end);

  void on_message(const embed::Gil&, std::uint32_t from, const wire::LinkMessage& message);
  bool take(const embed::Gil&, std::uint32_t from, const wire::LinkMessage& message);
  void on_lost(std::uint32_t process, const std::string& why);

  void end_epoch(std::int64_t epoch) override;
  void commit(std::int64_t epoch) override;
  void close(std::int64_t epoch) override;

  const plan::Dataflow& plan_;
  flow::DeadLetters& failures_;
  metrics::Counter& epochs_total_;
  const FlowOptions options_;
  WallTime time_;
  std::uint64_t newest_epoch_ = 0;  // that was stored, as process 0 knows until it tells the others
  std::uint64_t epoch_ = 1;
  std::int64_t epoch_began_us_ = 0;
  bool end_wanted_ = false;  // of the epoch, or it is in work

  uv::Loop loop_;
  uv::NextTurn next_turn_;
  uv::Timer wake_;
  std::optional<uv::StopSignal> stop_signal_;
  std::optional<flow::SignalHandlers> signal_handlers_;
  std::optional<uv::Readable> signal_came_;
  flow::Intake intake_;
  FlowPeers peers_;
  FlowKeeping keeping_;
  cluster::LinkExchange links_;
  FlowPartitions partitions_;
  FlowStreams streams_;
  FlowEnds ends_;
  std::optional<cluster::Coordination> coordination_;

  bool started_ = false;  // all processes are ready
  bool draining_ = false;
  bool sources_ended_ = false;  // as the others know
  bool failed_ = false;         // what the loop still has for this turn is dropped
  int signal_ = 0;
  std::optional<End> end_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace machida::worker
