#include "server/worker/flow_streams.h"

#include <algorithm>
#include <string>
#include <utility>

#include "embed/value.h"
#include "server/base/check.h"
#include "server/base/earliest.h"
#include "server/worker/flow_steps.h"

namespace machida::worker {
namespace {

using embed::Gil;

constexpr const char* kPlace = "dataflow";  // in messages, beside the step's id
constexpr std::size_t kItemsAtOnceMax = flow::kWriteItemsMax;

}  // namespace

// A link knows processes only: which of its workers a batch is for is part of the pipeline's
// number, which FlowStreams::pipelines_ is indexed by.
class FlowStreams::Routes final : public flow::Exchange {
 public:
  Routes(FlowSeats seats, flow::Exchange& memory, cluster::LinkExchange* links)
      : seats_(seats), memory_(memory), links_(links) {}

  void send(const Gil& gil, std::uint32_t worker, flow::StepAddress to, const flow::Place& place,
            flow::Batch& records) override {
    const std::uint32_t process = seats_.process_of(worker);
    if (process == seats_.process)
      return memory_.send(gil, seats_.place_of(worker), to, place, records);
    to.pipeline = to.pipeline * seats_.here + seats_.place_of(worker);
    links_->send(gil, process, to, place, records);
  }

 private:
  FlowSeats seats_;
  flow::Exchange& memory_;
  cluster::LinkExchange* links_;
};

struct FlowStreams::Stream {
  Stream(flow::Place place, embed::Object source, FlowSeats seats)
      : parts(std::move(place), std::move(source),
              {.first = seats.first(), .here = seats.here, .all = seats.workers()}) {}

  flow::SourceParts parts;
  std::vector<flow::SinkStep*> sinks;  // of all workers here
};

FlowStreams::FlowStreams(const Gil& gil, Surroundings around)
    : around_(around),
      memory_(around.seats.here),
      routes_(std::make_unique<Routes>(around.seats, memory_.exchange(), around.links)) {
  if (!around_.plan.bare_windows)
    metadata_class_ = embed::imported(gil, "wallaroo.flows.window", "WindowMetadata");
  for (std::uint32_t place = 0; place < around_.seats.here; ++place)
    worker_indices_.push_back(around_.seats.first() + place);
  try {
    std::uint32_t index = 0;
    for (const plan::StreamSpec& spec : around_.plan.streams) make_stream(gil, spec, index++);
  } catch (...) {
    close(gil);  // those that were built
    throw;
  }
}

FlowStreams::~FlowStreams() = default;

void FlowStreams::make_stream(const Gil& gil, const plan::StreamSpec& spec, std::uint32_t index) {
  streams_.push_back(std::make_unique<Stream>(flow::Place{kPlace, spec.input_id},
                                              spec.source.clone(gil), around_.seats));
  for (const plan::FlowStep& step : spec.steps)
    if (const auto* output = std::get_if<plan::OutputSpec>(&step))
      sinks_.push_back(std::make_unique<flow::SinkParts>(gil, flow::Place{kPlace, output->id},
                                                         output->sink, around_.failures));
  for (std::uint32_t place = 0; place < around_.seats.here; ++place)
    pipelines_.push_back(make_pipeline(gil, spec, index, place));
  stages_ = std::max(stages_, pipelines_.back()->exchanges());
}

std::unique_ptr<flow::Pipeline> FlowStreams::make_pipeline(const Gil& gil,
                                                           const plan::StreamSpec& spec,
                                                           std::uint32_t index,
                                                           std::uint32_t place) {
  const std::uint32_t worker = around_.seats.first() + place, workers = around_.seats.workers();
  std::vector<flow::SinkStep*> sinks;
  const FlowSurroundings surroundings{
      .keyed = {around_.failures, around_.time, around_.metrics, metadata_class_},
      .epoch = around_.epoch,
      .worker_index = worker_indices_[place],
      .seat = {.index = worker,
               .workers = workers,
               .exchange = workers > 1 ? routes_.get() : nullptr},
      .pipeline = index,
      .make_output =
          [this, &gil, &sinks, worker, workers](const plan::OutputSpec& output) {
            auto sink =
                flow::make_sink_step(gil, sink_of(output), worker, workers, around_.failures);
            sinks.push_back(sink.get());
            return sink;
          },
      .assign_output =
          [this](const plan::OutputSpec& output) {
            return flow::make_sink_assignment(sink_of(output));
          }};
  std::vector<std::unique_ptr<flow::Step>> steps;
  try {
    make_flow_steps(gil, spec, surroundings, steps);
  } catch (...) {
    for (flow::SinkStep* sink : sinks) sink->close(gil);  // while they live
    throw;
  }
  auto pipeline = std::make_unique<flow::Pipeline>(spec.input_id, nullptr, std::move(steps),
                                                   std::vector<std::unique_ptr<flow::OutputStep>>(),
                                                   around_.metrics);
  streams_[index]->sinks.insert(streams_[index]->sinks.end(), sinks.begin(), sinks.end());
  return pipeline;
}

flow::SinkParts& FlowStreams::sink_of(const plan::OutputSpec& output) const {
  const auto found = std::find_if(sinks_.begin(), sinks_.end(), [&output](const auto& sink) {
    return sink->place().step == output.id;
  });
  MACHIDA_CHECK(found != sinks_.end(), "a step writes to a sink that there is not");
  return **found;
}

std::vector<std::vector<std::string>> FlowStreams::list_partitions(const Gil& gil) {
  std::vector<std::vector<std::string>> names;
  for (const auto& stream : streams_) names.push_back(stream->parts.list(gil, around_.failures));
  for (const auto& sink : sinks_) names.push_back(sink->listed());
  return names;
}

void FlowStreams::agree_on_partitions(const Gil& gil, std::vector<flow::OwnedParts> parts) {
  MACHIDA_CHECK(parts.size() == streams_.size() + sinks_.size(), "other sources or sinks");
  auto next = parts.begin();
  for (const auto& stream : streams_) stream->parts.agree_on(std::move(*next++));
  for (const auto& sink : sinks_) sink->agree_on(gil, std::move(*next++));
}

void FlowStreams::build_parts(const Gil& gil) {
  for (const auto& stream : streams_) stream->parts.build(gil, around_.failures, around_.time);
  for (const auto& stream : streams_)
    for (flow::SinkStep* sink : stream->sinks) sink->begin(gil);
}

std::vector<std::vector<flow::EpochStates*>> FlowStreams::states() {
  std::vector<std::vector<flow::EpochStates*>> states(around_.seats.here);
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    states[0].push_back(&streams_[i]->parts.states());
    for (std::uint32_t place = 0; place < around_.seats.here; ++place)
      for (flow::EpochStates* kept : pipeline(i, place).states()) states[place].push_back(kept);
  }
  return states;
}

FlowStreams::Polled FlowStreams::poll(const Gil& gil, std::size_t stream, std::int64_t& now_us) {
  bool busy = false;
  flow::Batch items;
  for (flow::SourceParts::Part& part : streams_[stream]->parts.parts()) {
    flow::SourcePart& source = part.source;
    if (source.ended() || source.awake_us() > now_us) continue;
    const flow::SourcePart::Polled polled = source.poll(gil, now_us);
    if (polled == flow::SourcePart::Polled::kAbort) return Polled::kAbort;
    busy = busy || polled != flow::SourcePart::Polled::kNothing;
    while (source.next_items(gil, items, kItemsAtOnceMax)) {
      pipeline(stream, around_.seats.place_of(part.worker)).run_records(gil, items);
      deliver(gil);
    }
    now_us = around_.time.now_us();
  }
  return busy ? Polled::kSomething : Polled::kNothing;
}

bool FlowStreams::run_due(const Gil& gil, std::int64_t now_us) {
  bool busy = false;
  for (const auto& pipeline : pipelines_) {
    const std::optional<std::int64_t> due_us = pipeline->next_due_us();
    if (!due_us || *due_us > now_us) continue;
    pipeline->on_due(gil, now_us);
    deliver(gil);
    busy = true;
  }
  return busy;
}

bool FlowStreams::receive(const Gil& gil, const wire::Batch& batch) {
  if (!around_.links || !around_.links->receive(gil, batch, pipelines_)) return false;
  deliver(gil);
  return true;
}

// Until nothing is on its way from one worker here to another.
void FlowStreams::deliver(const Gil& gil) {
  if (around_.seats.here == 1) return;
  while (!memory_.idle())
    for (std::uint32_t place = 0; place < around_.seats.here; ++place)
      while (std::optional<flow::MemoryExchange::Arrival> arrival = memory_.take(place))
        pipeline(arrival->to.pipeline, place).run_from(gil, arrival->to.step, arrival->records);
}

std::optional<std::int64_t> FlowStreams::next_wake_us() const {
  std::optional<std::int64_t> wake_us;
  for (const auto& stream : streams_) wake_us = earliest(wake_us, stream->parts.next_awake_us());
  for (const auto& pipeline : pipelines_) wake_us = earliest(wake_us, pipeline->next_due_us());
  return wake_us;
}

bool FlowStreams::sources_ended(std::size_t stream) const {
  return streams_[stream]->parts.ended();
}

std::size_t FlowStreams::steps(std::size_t stream) const { return pipeline(stream, 0).steps(); }

// What one worker gives reaches the next stage of all before that one ends.
std::size_t FlowStreams::end_stage(const Gil& gil, std::size_t stream, std::size_t first) {
  std::size_t next = first;
  for (std::uint32_t place = 0; place < around_.seats.here; ++place)
    next = pipeline(stream, place).end_stage(gil, first);
  deliver(gil);
  return next;
}

bool FlowStreams::moved() const {
  return std::any_of(streams_.begin(), streams_.end(),
                     [](const auto& stream) { return stream->parts.moved(); });
}

void FlowStreams::end_epoch(const Gil& gil) {
  for (const auto& stream : streams_)
    for (flow::SinkStep* sink : stream->sinks) sink->write_kept(gil);
  for (const auto& stream : streams_) {
    stream->parts.end_epoch(gil);
    for (flow::SinkStep* sink : stream->sinks) sink->end_epoch(gil);
  }
}

void FlowStreams::close(const Gil& gil) {
  for (const auto& stream : streams_) {
    stream->parts.close(gil);
    for (flow::SinkStep* sink : stream->sinks) sink->close(gil);
  }
}

}  // namespace machida::worker
