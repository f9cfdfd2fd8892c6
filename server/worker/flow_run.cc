#include "server/worker/flow_run.h"

#include <algorithm>
#include <string>
#include <utility>

#include "embed/value.h"
#include "server/worker/flow_steps.h"

namespace machida::worker {
namespace {

using embed::Gil;

constexpr const char* kPlace = "dataflow";  // in messages, beside the step's id
constexpr std::int64_t kShareOfTurnUs = 2'000;
constexpr std::size_t kItemsAtOnceMax = flow::kWriteItemsMax;
constexpr std::int64_t kWaitMaxMs = 24 * 3600 * 1000;  // looked at again then

}  // namespace

struct FlowRun::Stream {
  Stream(flow::Place place, embed::Object source, std::uint32_t workers)
      : parts(std::move(place), std::move(source), workers) {}

  flow::SourceParts parts;
  std::vector<std::unique_ptr<flow::Pipeline>> pipelines;  // by worker
  std::vector<flow::SinkStep*> sinks;                      // of all workers
  bool ended = false;                                      // its steps know
};

FlowRun::FlowRun(const Gil& gil, const plan::Dataflow& plan, FlowOptions options,
                 flow::DeadLetters& failures, metrics::Registry& metrics, FlowKeeper* keeper)
    : plan_(plan),
      options_(options),
      failures_(failures),
      metrics_(metrics),
      keeper_(keeper),
      exchange_(options.workers),
      next_turn_(loop_, [this] { turn(); }),
      wake_(loop_, [this] { turn(); }) {
  if (!plan.bare_windows)
    metadata_class_ = embed::imported(gil, "wallaroo.flows.window", "WindowMetadata");
  for (std::uint32_t worker = 0; worker < options_.workers; ++worker)
    worker_indices_.push_back(worker);
  try {
    for (std::size_t i = 0; i < plan.streams.size(); ++i) make_stream(gil, plan.streams[i], i);
  } catch (...) {
    close(gil);  // those that were built
    throw;
  }
}

FlowRun::~FlowRun() = default;

void FlowRun::make_stream(const Gil& gil, const plan::StreamSpec& spec, std::size_t index) {
  Stream& stream = *streams_.emplace_back(std::make_unique<Stream>(
      flow::Place{kPlace, spec.input_id}, spec.source.clone(gil), options_.workers));
  for (std::uint32_t worker = 0; worker < options_.workers; ++worker)
    stream.pipelines.push_back(make_pipeline(gil, spec, index, worker, stream));
}

std::unique_ptr<flow::Pipeline> FlowRun::make_pipeline(const Gil& gil, const plan::StreamSpec& spec,
                                                       std::size_t index, std::uint32_t worker,
                                                       Stream& stream) {
  FlowSurroundings around{
      .keyed = {failures_, time_, metrics_, metadata_class_},
      .epoch = epoch_,
      .worker_index = worker_indices_[worker],
      .seat = {.index = worker,
               .workers = options_.workers,
               .exchange = options_.workers > 1 ? &exchange_.exchange() : nullptr},
      .pipeline = static_cast<std::uint32_t>(index),
      .make_output =
          [this, &gil, &stream, worker](const plan::OutputSpec& output) {
            auto sink = make_sink(gil, output, worker);
            stream.sinks.push_back(sink.get());
            return sink;
          },
      .assign_output = [this,
                        &gil](const plan::OutputSpec& output) { return assign_sink(gil, output); }};
  return std::make_unique<flow::Pipeline>(
      spec.input_id, nullptr, make_flow_steps(gil, spec, around),
      std::vector<std::unique_ptr<flow::OutputStep>>(), metrics_);
}

std::unique_ptr<flow::SinkStep> FlowRun::make_sink(const Gil& gil, const plan::OutputSpec& spec,
                                                   std::uint32_t worker) {
  return flow::make_sink_step(gil, {kPlace, spec.id}, spec.sink, worker, options_.workers,
                              failures_);
}

std::unique_ptr<flow::Assignment> FlowRun::assign_sink(const Gil& gil,
                                                       const plan::OutputSpec& spec) {
  return flow::make_sink_assignment(gil, {kPlace, spec.id}, spec.sink, options_.workers, failures_);
}

// Everything before the first partition is built, which needs what was restored.
void FlowRun::restore(const Gil& gil) {
  if (!keeper_) return;
  std::vector<std::vector<flow::EpochStates*>> states(options_.workers);
  for (const auto& stream : streams_) {
    states[0].push_back(&stream->parts.states());
    for (std::uint32_t worker = 0; worker < options_.workers; ++worker)
      for (flow::EpochStates* kept : stream->pipelines[worker]->states())
        states[worker].push_back(kept);
  }
  keeper_->restore(gil, states);
  epoch_ = keeper_->newest_epoch() + 1;
}

FlowRun::End FlowRun::run() {
  try {
    if (options_.take_signals)
      stop_signal_.emplace(loop_, [this] {
        signal_ = stop_signal_->number();
        draining_ = true;
        next_turn_.ask();
      });
    {
      const embed::GilLock gil;
      restore(gil);
      for (const auto& stream : streams_) stream->parts.build(gil, failures_, time_);
      epoch_began_us_ = time_.now_us();
    }
    next_turn_.ask();
    loop_.run();
  } catch (...) {
    const embed::GilLock gil;
    close(gil);
    throw;
  }
  return end_.value_or(End::kFinished);
}

void FlowRun::turn() {
  if (end_) return;
  const embed::GilLock gil;
  if (draining_) return finish(gil, End::kDrained);
  const std::int64_t began_us = time_.now_us();
  while (round(gil)) {
    if (aborted_) return finish(gil, End::kAborted);
    if (time_.now_us() - began_us > kShareOfTurnUs) return next_turn_.ask();
  }
  if (aborted_) return finish(gil, End::kAborted);
  const bool ended = std::all_of(streams_.begin(), streams_.end(),
                                 [](const auto& stream) { return stream->ended; });
  if (ended) return finish(gil, End::kFinished);
  wait();
}

// Whether there was something to do.
bool FlowRun::round(const Gil& gil) {
  bool busy = false;
  for (const auto& stream : streams_) {
    if (!stream->ended && poll(gil, *stream)) busy = true;
    if (aborted_) return true;
  }
  run_due(gil);
  end_streams(gil);
  const std::int64_t now_us = time_.now_us();
  if (now_us - epoch_began_us_ >= options_.epoch_interval_us &&
      (busy || options_.epoch_interval_us > 0))
    end_epoch(gil);
  return busy;
}

bool FlowRun::poll(const Gil& gil, Stream& stream) {
  bool busy = false;
  flow::Batch items;
  for (flow::SourceParts::Part& part : stream.parts.parts()) {
    flow::SourcePart& source = part.source;
    if (source.ended() || source.awake_us() > time_.now_us()) continue;
    const flow::SourcePart::Polled polled = source.poll(gil);
    if (polled == flow::SourcePart::Polled::kAbort) {
      aborted_ = true;
      return true;
    }
    busy = busy || polled != flow::SourcePart::Polled::kNothing;
    while (source.next_items(gil, items, kItemsAtOnceMax)) {
      stream.pipelines[part.worker]->run_records(gil, items);
      deliver(gil);
    }
  }
  return busy;
}

void FlowRun::run_due(const Gil& gil) {
  const std::int64_t now_us = time_.now_us();
  for (const auto& stream : streams_)
    for (const auto& pipeline : stream->pipelines) {
      const std::optional<std::int64_t> due_us = pipeline->next_due_us();
      if (!due_us || *due_us > now_us) continue;
      pipeline->on_due(gil, now_us);
      deliver(gil);
    }
}

// Until nothing is on its way from one worker to another.
void FlowRun::deliver(const Gil& gil) {
  if (options_.workers == 1) return;
  while (!exchange_.idle())
    for (std::uint32_t worker = 0; worker < options_.workers; ++worker)
      while (std::optional<flow::MemoryExchange::Arrival> arrival = exchange_.take(worker))
        streams_[arrival->to.pipeline]->pipelines[worker]->run_from(gil, arrival->to.step,
                                                                    arrival->records);
}

// Stage by stage in all workers: what one gives reaches the next stage before that one ends.
void FlowRun::end_streams(const Gil& gil) {
  for (const auto& stream : streams_) {
    if (stream->ended || !stream->parts.ended()) continue;
    stream->ended = true;
    for (std::size_t stage = 0; stage < stream->pipelines[0]->steps();) {
      std::size_t next = stage;
      for (const auto& pipeline : stream->pipelines) next = pipeline->end_stage(gil, stage);
      deliver(gil);
      stage = next;
    }
  }
}

void FlowRun::end_epoch(const Gil& gil) {
  for (const auto& stream : streams_)
    for (flow::SinkStep* sink : stream->sinks) sink->write_kept(gil);
  if (keeper_) {
    for (const auto& stream : streams_) {
      stream->parts.end_epoch(gil);
      for (flow::SinkStep* sink : stream->sinks) sink->end_epoch(gil);
    }
    keeper_->store(gil, epoch_);
  }
  ++epoch_;
  epoch_began_us_ = time_.now_us();
}

bool FlowRun::keeps_items() const {
  for (const auto& stream : streams_)
    for (const flow::SinkStep* sink : stream->sinks)
      if (sink->keeps_items()) return true;
  return false;
}

void FlowRun::wait() {
  const std::int64_t now_us = time_.now_us();
  std::int64_t until_us = now_us + kWaitMaxMs * 1000;
  if (options_.epoch_interval_us > 0 && (keeper_ || keeps_items()))
    until_us = std::min(until_us, epoch_began_us_ + options_.epoch_interval_us);
  for (const auto& stream : streams_) {
    if (const std::optional<std::int64_t> awake_us = stream->parts.next_awake_us())
      until_us = std::min(until_us, *awake_us);
    for (const auto& pipeline : stream->pipelines)
      if (const std::optional<std::int64_t> due_us = pipeline->next_due_us())
        until_us = std::min(until_us, *due_us);
  }
  if (until_us <= now_us) return next_turn_.ask();
  wake_.start(static_cast<std::uint64_t>((until_us - now_us + 999) / 1000));
}

void FlowRun::finish(const Gil& gil, End end) {
  end_ = end;
  if (end != End::kAborted) end_epoch(gil);
  close(gil);
  loop_.stop();
}

void FlowRun::close(const Gil& gil) {
  for (const auto& stream : streams_) {
    stream->parts.close(gil);
    for (flow::SinkStep* sink : stream->sinks) sink->close(gil);
  }
}

}  // namespace machida::worker
