// One worker: the plan with its sources and sinks on an event loop. Start, run, drain, stop.
// Sinks connect first, sources open when all have; a signal drains: what was read is processed and
// written, then run() returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "embed/gil.h"
#include "server/base/system_time.h"
#include "server/flow/dead_letters.h"
#include "server/flow/intake.h"
#include "server/metrics/counter.h"
#include "server/plan/plan.h"
#include "server/sink/sink.h"
#include "server/sink/tcp_sink.h"
#include "server/source/source.h"
#include "server/uv/loop.h"
#include "server/uv/stop_signal.h"
#include "server/uv/timer.h"
#include "server/worker/assembly.h"
#include "server/worker/delivery_rounds.h"
#include "server/worker/due_work.h"
#include "server/worker/handled_signals.h"
#include "server/worker/journal_numbers.h"
#include "server/worker/membership.h"
#include "server/worker/resilience.h"
#include "server/worker/settlement.h"
#include "server/worker/storage_sinks.h"

namespace machida::worker {

struct WorkerOptions {
  std::size_t frame_bytes_max = 16u << 20;
  UnknownKeyPolicy unknown_keys = UnknownKeyPolicy::kDrop;
  std::uint64_t drain_timeout_ms = 30'000;
  std::uint64_t commit_interval_ms = 1000;       // of Kafka sources' offsets
  std::size_t memory_budget_bytes = 128u << 20;  // for librdkafka's queues, shared out
  ResilienceOptions resilience;
  StorageOptions storage;
  SeatOptions seat;
  // Sources don't open: what the resilience directory holds is brought to its end.
  bool settle = false;
};

class Worker final : public Outlets {
 public:
  // `module` is the application's. `say` gets the lines for standard output: who listens where, and
  // that the application is ready.
  Worker(const embed::Gil&, const plan::Plan& plan, const std::string& module,
         WorkerOptions options, flow::DeadLetters& dead_letters, metrics::Registry& metrics,
         std::function<void(const std::string&)> say);
  ~Worker() override;

  // Until drained by a signal or failed. Returns the process's exit status. Without the lock.
  int run();
  // A thread of a storage sink hangs: the process can only be ended without Python's consent.
  bool left_threads() const { return left_threads_; }

 private:
  enum class Phase { kConnecting, kWaiting, kRunning, kDraining, kStopped };

  flow::Outlet& of_bytes(std::size_t pipeline, std::size_t sink) override;
  flow::MessageOutlet& of_messages(std::size_t pipeline, std::size_t sink) override;
  flow::RecordOutlet& of_records(std::size_t pipeline, std::size_t sink) override;
  void make_membership(const embed::Gil&, const std::string& module,
                       flow::DeadLetters& dead_letters);
  void make_resilience(const embed::Gil&, const std::string& module);
  void make_sinks(const embed::Gil&, flow::DeadLetters& dead_letters);
  void make_storage_sink(const embed::Gil&, std::size_t pipeline, std::size_t sink,
                         const plan::StorageSinkSpec& spec, flow::DeadLetters& dead_letters);
  void make_kafka_sink(std::size_t pipeline, std::size_t sink, const plan::KafkaSinkSpec& spec,
                       flow::DeadLetters& dead_letters);
  void make_sources(const embed::Gil&);
  // What the workers before these have left open.
  void take_over_connections();
  void hand_over_connections();
  void take_client(std::uint32_t pipeline, uv::Descriptor client);
  std::size_t kafka_queue_bytes() const;

  source::WhenDelivered when_delivered();

  void on_sink_connected();
  void on_all_ready();
  void on_peer_lost(std::uint32_t worker);
  void on_stop_wanted();
  void replay_journal();
  void open_sources();
  void on_source_open(std::size_t source, const Result<std::vector<std::string>>& lines);
  void drain();
  void close_windows();
  void end_stage();
  void look_whether_drained();
  bool sources_drained() const;
  std::string undelivered();
  bool all_closed();
  void finish(int status);
  int run_to_the_end();
  bool reserve_sources() const;  // false: with a line of the log
  int run_loop();
  void close_storage();
  void abandon();
  void log_summary() const;

  const plan::Plan& plan_;
  WorkerOptions options_;
  metrics::Registry& metrics_;
  const JournalNumbers journal_numbers_;
  bool said_homeless_ = false;  // of journaled batches
  std::function<void(const std::string&)> say_;

  WallTime time_;
  uv::Loop loop_;
  flow::Intake intake_;      // of this worker's sources
  flow::Intake sinks_room_;  // paused by its sinks, which pauses every worker's intake
  std::unique_ptr<Membership> membership_;
  std::unique_ptr<Resilience> resilience_;          // null: without
  std::unique_ptr<StorageSinks> storage_;           // null: there is none
  std::vector<std::unique_ptr<sink::Sink>> sinks_;  // of all pipelines
  std::map<std::pair<std::size_t, std::size_t>, sink::TcpSink*> tcp_sinks_;
  std::map<std::pair<std::size_t, std::size_t>, flow::MessageOutlet*> message_outlets_;
  std::map<std::pair<std::size_t, std::size_t>, flow::RecordOutlet*> record_outlets_;
  Settlement settlement_;
  DeliveryRounds rounds_;  // without resilience
  std::unique_ptr<Assembly> assembly_;
  std::optional<DueWork> due_work_;       // if there are windows
  std::vector<std::size_t> steps_ended_;  // by pipeline, when windows close at a stop
  bool windows_closed_ = false;
  std::vector<std::unique_ptr<source::Source>> sources_;  // one per pipeline
  std::size_t sources_open_ = 0;
  uv::StopSignal stop_signal_;
  std::optional<HandledSignals> handled_signals_;
  uv::Timer drain_look_;
  Phase phase_ = Phase::kConnecting;
  std::uint64_t drain_deadline_ms_ = 0;
  bool drain_wanted_ = false;
  std::optional<std::uint64_t> peer_lost_ms_;
  bool keep_connections_ = false;  // the supervisor wants them when this worker has drained
  bool failed_ = false;            // the run: what was put out is written, nothing else
  int status_ = 0;
  bool left_threads_ = false;
};

}  // namespace machida::worker
