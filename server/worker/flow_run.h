// Runs a dataflow in the calling thread: all its workers in turn, on one event loop, until its
// inputs have ended, a signal drains it, or user code fails. Items change workers by reference.
//
// A turn of the loop runs rounds for at most 2 ms: in a round each partition that is awake is
// polled once, in the order of workers and names, and its items go through all steps before the
// next one. An epoch ends between two rounds, when nothing is under way: so everything that is
// stored of it belongs together.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/base/system_time.h"
#include "server/flow/dead_letters.h"
#include "server/flow/memory_exchange.h"
#include "server/flow/pipeline.h"
#include "server/flow/sink_step.h"
#include "server/flow/source_parts.h"
#include "server/metrics/counter.h"
#include "server/plan/dataflow.h"
#include "server/uv/loop.h"
#include "server/uv/stop_signal.h"
#include "server/uv/timer.h"

namespace machida::worker {

// Keeps what the dataflow remembers over a restart.
class FlowKeeper {
 public:
  virtual ~FlowKeeper() = default;
  // The newest epoch that is stored; 0: none.
  virtual std::uint64_t newest_epoch() const = 0;
  // Gives what was stored to whom it belongs: `states` by worker.
  virtual void restore(const embed::Gil&,
                       const std::vector<std::vector<flow::EpochStates*>>& states) = 0;
  // Stores what changed; durable when it returns.
  virtual void store(const embed::Gil&, std::uint64_t epoch) = 0;
};

struct FlowOptions {
  std::int64_t epoch_interval_us = 10'000'000;  // 0: each round is an epoch
  std::uint32_t workers = 1;
  bool take_signals = false;  // SIGTERM and SIGINT drain; only on the process's main thread
};

class FlowRun {
 public:
  // `plan`, `failures`, `metrics` and `keeper` (null: nothing is kept) outlive it.
  FlowRun(const embed::Gil&, const plan::Dataflow& plan, FlowOptions options,
          flow::DeadLetters& failures, metrics::Registry& metrics, FlowKeeper* keeper);
  ~FlowRun();

  enum class End { kFinished, kAborted, kDrained };
  // Without the lock. Throws what `failures` throws; sources and sinks are closed then, too.
  End run();
  // What asked for the drain: SIGTERM or SIGINT.
  int signal() const noexcept { return signal_; }

 private:
  struct Stream;  // an input with its pipelines, one per worker

  void make_stream(const embed::Gil&, const plan::StreamSpec& spec, std::size_t index);
  std::unique_ptr<flow::Pipeline> make_pipeline(const embed::Gil&, const plan::StreamSpec& spec,
                                                std::size_t index, std::uint32_t worker,
                                                Stream& stream);
  std::unique_ptr<flow::SinkStep> make_sink(const embed::Gil&, const plan::OutputSpec& spec,
                                            std::uint32_t worker);
  std::unique_ptr<flow::Assignment> assign_sink(const embed::Gil&, const plan::OutputSpec& spec);
  void restore(const embed::Gil&);
  void turn();
  bool round(const embed::Gil&);
  bool poll(const embed::Gil&, Stream& stream);
  void run_due(const embed::Gil&);
  void deliver(const embed::Gil&);
  void end_streams(const embed::Gil&);
  void end_epoch(const embed::Gil&);
  bool keeps_items() const;
  void wait();
  void finish(const embed::Gil&, End end);
  void close(const embed::Gil&);

  const plan::Dataflow& plan_;
  FlowOptions options_;
  flow::DeadLetters& failures_;
  metrics::Registry& metrics_;
  FlowKeeper* keeper_;
  embed::Object metadata_class_;  // empty: bare windows
  WallTime time_;
  flow::MemoryExchange exchange_;
  std::vector<std::uint64_t> worker_indices_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::uint64_t epoch_ = 1;
  std::int64_t epoch_began_us_ = 0;
  bool aborted_ = false;

  uv::Loop loop_;
  uv::NextTurn next_turn_;
  uv::Timer wake_;
  std::optional<uv::StopSignal> stop_signal_;
  int signal_ = 0;
  bool draining_ = false;
  std::optional<End> end_;
};

}  // namespace machida::worker
