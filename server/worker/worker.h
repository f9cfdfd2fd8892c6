// One worker: the plan with its sources and sinks on an event loop. Start, run, drain, stop.
// Sinks connect first, sources open when all have; a signal drains: what was read is processed and
// written, then run() returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "server/flow/dead_letters.h"
#include "server/flow/intake.h"
#include "server/metrics/counter.h"
#include "server/plan/plan.h"
#include "server/sink/tcp_sink.h"
#include "server/source/tcp_source.h"
#include "server/uv/loop.h"
#include "server/uv/stop_signal.h"
#include "server/uv/timer.h"
#include "server/worker/assembly.h"

namespace machida::worker {

struct WorkerOptions {
  std::size_t frame_bytes_max = 16u << 20;
  UnknownKeyPolicy unknown_keys = UnknownKeyPolicy::kDrop;
  std::uint64_t drain_timeout_ms = 30'000;
};

class Worker {
 public:
  // `say` gets the lines for standard output: who listens where, and that the application is ready.
  Worker(const embed::Gil&, const plan::Plan& plan, WorkerOptions options,
         flow::DeadLetters& dead_letters, metrics::Registry& metrics,
         std::function<void(const std::string&)> say);
  ~Worker();

  // Until drained by a signal or failed. Returns the process's exit status. Without the lock.
  int run();

 private:
  enum class Phase { kConnecting, kRunning, kDraining, kStopped };

  void on_sink_connected();
  void open_sources();
  void drain();
  void look_whether_drained();
  void finish(int status);
  int run_loop();
  void log_summary() const;

  const plan::Plan& plan_;
  WorkerOptions options_;
  metrics::Registry& metrics_;
  std::function<void(const std::string&)> say_;

  uv::Loop loop_;
  flow::Intake intake_;
  std::vector<std::unique_ptr<sink::TcpSink>> sinks_;  // of all pipelines
  std::vector<std::size_t> first_sink_;                // of each pipeline, in sinks_
  std::unique_ptr<Assembly> assembly_;
  std::vector<std::unique_ptr<source::TcpSource>> sources_;  // one per pipeline
  uv::StopSignal stop_signal_;
  uv::Timer drain_look_;
  Phase phase_ = Phase::kConnecting;
  std::uint64_t drain_deadline_ms_ = 0;
  int status_ = 0;
};

}  // namespace machida::worker
