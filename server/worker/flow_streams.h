// The inputs of a dataflow and the pipelines behind them, of the workers in this process: polls
// partitions, runs items through all steps, hands them between workers. Items change workers of one
// process by reference, and go to other processes over links. Worker's thread, under the lock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/base/system_time.h"
#include "server/cluster/link_exchange.h"
#include "server/flow/dead_letters.h"
#include "server/flow/memory_exchange.h"
#include "server/flow/owned_parts.h"
#include "server/flow/pipeline.h"
#include "server/flow/sink_parts.h"
#include "server/flow/sink_step.h"
#include "server/flow/source_parts.h"
#include "server/metrics/counter.h"
#include "server/plan/dataflow.h"
#include "server/worker/flow_seats.h"

namespace machida::worker {

class FlowStreams {
 public:
  // All of it outlives the streams. `epoch` is the one that items are in.
  struct Surroundings {
    const plan::Dataflow& plan;
    FlowSeats seats;
    cluster::LinkExchange* links = nullptr;  // null: there is one process
    flow::DeadLetters& failures;
    metrics::Registry& metrics;
    const SystemTime& time;
    const std::uint64_t& epoch;
  };
  FlowStreams(const embed::Gil&, Surroundings around);
  ~FlowStreams();

  // The names of the partitions that this process sees, by source and then by sink; those without
  // partitions have none.
  std::vector<std::vector<std::string>> list_partitions(const embed::Gil&);
  // Those that all processes go by, in the same order.
  void agree_on_partitions(const embed::Gil&, std::vector<flow::OwnedParts> parts);
  // The partitions of the workers here, from what was restored into states(): of sources, and of
  // sinks those that go on where they were.
  void build_parts(const embed::Gil&);
  // By worker of this process.
  std::vector<std::vector<flow::EpochStates*>> states();

  std::size_t size() const noexcept { return streams_.size(); }
  // How often an item may change worker on its way, at most.
  std::uint32_t stages() const noexcept { return stages_; }

  enum class Polled { kNothing, kSomething, kAbort };
  // Polls each partition of an input that is awake once, in the order of workers and names; its
  // items go through all steps before the next one. `now_us` is now, and still is when it returns.
  Polled poll(const embed::Gil&, std::size_t stream, std::int64_t& now_us);
  // Runs what is due at `now_us` in all steps; whether something was.
  bool run_due(const embed::Gil&, std::int64_t now_us);
  // What another process sent. False: there is no such step here.
  bool receive(const embed::Gil&, const wire::Batch& batch);
  // When poll() or run_due() has something to do, if nothing comes before.
  std::optional<std::int64_t> next_wake_us() const;

  // All partitions of this process are at their end.
  bool sources_ended(std::size_t stream) const;
  // As Pipeline::end_stage, in all workers of this process.
  std::size_t end_stage(const embed::Gil&, std::size_t stream, std::size_t first);
  std::size_t steps(std::size_t stream) const;

  // A source may have another position than at the last epoch's end.
  bool moved() const;
  // Sinks write what they have kept of the epoch that ends now; then sources and sinks are asked
  // for their positions, whether they are stored or not: user code may commit or acknowledge there.
  void end_epoch(const embed::Gil&);
  // What is open, once; what closing raises goes to the failures.
  void close(const embed::Gil&);

 private:
  class Routes;   // to the other workers, wherever they are
  struct Stream;  // an input

  flow::SinkParts& sink_of(const plan::OutputSpec& output) const;
  void make_stream(const embed::Gil&, const plan::StreamSpec& spec, std::uint32_t index);
  std::unique_ptr<flow::Pipeline> make_pipeline(const embed::Gil&, const plan::StreamSpec& spec,
                                                std::uint32_t index, std::uint32_t place);
  flow::Pipeline& pipeline(std::size_t stream, std::uint32_t place) const {
    return *pipelines_[stream * around_.seats.here + place];
  }
  void deliver(const embed::Gil&);

  const Surroundings around_;
  embed::Object metadata_class_;  // empty: bare windows
  flow::MemoryExchange memory_;
  std::unique_ptr<Routes> routes_;
  std::vector<std::uint64_t> worker_indices_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<std::unique_ptr<flow::SinkParts>> sinks_;
  std::vector<std::unique_ptr<flow::Pipeline>> pipelines_;  // by stream, then by worker
  std::uint32_t stages_ = 0;
};

}  // namespace machida::worker
