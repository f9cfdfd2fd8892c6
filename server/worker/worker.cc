#include "server/worker/worker.h"

#include <algorithm>

#include "embed/error.h"
#include "server/base/check.h"
#include "server/base/log.h"
#include "server/flow/dead_letter_log.h"
#include "server/flow/output_step.h"
#include "server/flow/unknown_keys.h"
#include "server/kafka/client.h"
#include "server/sink/kafka_epoch_sink.h"
#include "server/sink/kafka_sink.h"
#include "server/sink/tcp_sink.h"
#include "server/source/kafka_epoch_source.h"
#include "server/source/kafka_source.h"
#include "server/source/tcp_source.h"

namespace machida::worker {
namespace {

constexpr std::uint64_t kDrainLookMs = 5;

}  // namespace

Worker::Worker(const embed::Gil& gil, const plan::Plan& plan, const std::string& module,
               WorkerOptions options, flow::DeadLetters& dead_letters, metrics::Registry& metrics,
               std::function<void(const std::string&)> say)
    : plan_(plan),
      options_(std::move(options)),
      metrics_(metrics),
      say_(std::move(say)),
      settlement_(loop_),
      stop_signal_(loop_, [this] { drain(); }),
      drain_look_(loop_, [this] { look_whether_drained(); }) {
  make_resilience(gil, module);
  make_sinks(gil, dead_letters);
  assembly_ =
      std::make_unique<Assembly>(gil, plan, options_.unknown_keys, dead_letters, metrics, *this);
  if (resilience_) resilience_->restore(gil, assembly_->states());
  make_sources(gil);
}

void Worker::make_resilience(const embed::Gil& gil, const std::string& module) {
  bool has_tcp_source = false;
  for (const plan::PipelineSpec& pipeline : plan_.pipelines)
    has_tcp_source =
        has_tcp_source || std::holds_alternative<plan::TcpSourceSpec>(pipeline.source.from);
  if (!options_.resilience.directory.empty()) {
    resilience_ = std::make_unique<Resilience>(gil, loop_, intake_, options_.resilience, plan_.name,
                                               module, has_tcp_source, metrics_);
    return;
  }
  std::string lost = plan_.states.empty() ? "" : "all state";
  if (has_tcp_source) lost += std::string(lost.empty() ? "" : " and ") + "what was read over TCP";
  if (!lost.empty()) log::info("without --resilience-dir a crash loses {}", lost);
}

// An equal share of the budget for every Kafka client.
std::size_t Worker::kafka_queue_bytes() const {
  std::size_t clients = 0;
  for (const plan::PipelineSpec& pipeline : plan_.pipelines) {
    clients += std::holds_alternative<plan::KafkaSourceSpec>(pipeline.source.from) ? 1 : 0;
    for (const plan::SinkSpec& sink : pipeline.sinks)
      clients += std::holds_alternative<plan::KafkaSinkSpec>(sink.to) ? 1 : 0;
  }
  return options_.memory_budget_bytes / std::max<std::size_t>(clients, 1);
}

void Worker::make_sinks(const embed::Gil& gil, flow::DeadLetters& dead_letters) {
  const auto connected = [this] { on_sink_connected(); };
  for (std::size_t p = 0; p < plan_.pipelines.size(); ++p)
    for (std::size_t s = 0; s < plan_.pipelines[p].sinks.size(); ++s) {
      const plan::SinkSpec& spec = plan_.pipelines[p].sinks[s];
      if (const auto* kafka = std::get_if<plan::KafkaSinkSpec>(&spec.to)) {
        make_kafka_sink(p, s, *kafka, dead_letters);
      } else if (const auto* storage = std::get_if<plan::StorageSinkSpec>(&spec.to)) {
        make_storage_sink(gil, p, s, *storage, dead_letters);
      } else {
        auto sink = std::make_unique<sink::TcpSink>(
            loop_, intake_, std::get<plan::TcpSinkSpec>(spec.to).address, metrics_, connected);
        settlement_.watch(*sink);
        if (resilience_) resilience_->add(static_cast<flow::Delivery&>(*sink));
        byte_outlets_[{p, s}] = sink.get();
        sinks_.push_back(std::move(sink));
      }
    }
}

void Worker::make_kafka_sink(std::size_t pipeline, std::size_t sink,
                             const plan::KafkaSinkSpec& spec, flow::DeadLetters& dead_letters) {
  const auto connected = [this] { on_sink_connected(); };
  const flow::Place place{plan_.pipelines[pipeline].name, "sink"};
  kafka::ProducerSettings settings = spec.settings;
  settings.queue_bytes_max = kafka_queue_bytes();
  if (!resilience_) {
    auto made = std::make_unique<sink::KafkaSink>(loop_, intake_, std::move(settings), place,
                                                  dead_letters, metrics_, connected);
    settlement_.watch(*made);
    message_outlets_[{pipeline, sink}] = made.get();
    sinks_.push_back(std::move(made));
    return;
  }
  const std::string id = fmt::format("{}-{}-{}", place.pipeline, settings.topic, sink);
  settings.transactional_id = fmt::format("machida-{}-{}", resilience_->identity(), id);
  auto made = std::make_unique<sink::KafkaEpochSink>(
      loop_, intake_, id, std::move(settings), place, dead_letters, metrics_,
      resilience_->newest_epoch(),
      sink::KafkaEpochSink::Calls{.on_connected = connected,
                                  .on_full = [this] { resilience_->end_epoch_soon(); },
                                  .on_committed = [this] { resilience_->go_on(); }});
  if (auto outbox = resilience_->outbox_of(made->id()); !outbox.empty())
    made->recover(std::move(outbox));
  resilience_->add(static_cast<flow::EpochSink&>(*made));
  message_outlets_[{pipeline, sink}] = made.get();
  sinks_.push_back(std::move(made));
}

void Worker::make_storage_sink(const embed::Gil& gil, std::size_t pipeline, std::size_t sink,
                               const plan::StorageSinkSpec& spec, flow::DeadLetters& dead_letters) {
  constexpr std::size_t kWorker = 0, kWorkers = 1;
  if (!storage_)
    storage_ = std::make_unique<StorageSinks>(gil, options_.storage, kWorker, kWorkers);
  const std::string& name = spec.name.empty() ? spec.type : spec.name;
  const flow::Place place{plan_.pipelines[pipeline].name, "sink"};
  const std::string id = fmt::format("{}-{}-{}", place.pipeline, name, sink);
  const std::string identity = resilience_ ? resilience_->identity() : "";
  sink::StorageSink::Parts parts{
      .id = id,
      .people = spec.name.empty() ? spec.type : fmt::format("{} '{}'", spec.type, spec.name),
      .place = place,
      .running_sink =
          storage_->running(gil, spec, fmt::format("machida-{}-{}-{}", identity, kWorker, id)),
      .durable = std::nullopt,
      .epoch_interval_ms = options_.resilience.epoch_interval_ms,
      .retries = options_.storage.retries};
  sink::StorageSink::Calls calls{.on_connected = [this] { on_sink_connected(); }};
  if (resilience_) {
    parts.durable.emplace(sink::StorageSink::Durable{{gil, resilience_->record_pickling(gil)},
                                                     resilience_->newest_epoch()});
    calls.on_full = [this] { resilience_->end_epoch_soon(); };
    calls.on_committed = [this] { resilience_->go_on(); };
  }
  auto made = std::make_unique<sink::StorageSink>(gil, loop_, intake_, std::move(parts),
                                                  dead_letters, metrics_, std::move(calls));
  storage_->add(*made);
  record_outlets_[{pipeline, sink}] = made.get();
  if (!resilience_) {
    settlement_.watch(*made);
  } else {
    if (const auto outbox = resilience_->outbox_of(id); !outbox.empty()) made->recover(gil, outbox);
    resilience_->add(static_cast<flow::EpochSink&>(*made));
  }
  sinks_.push_back(std::move(made));
}

void Worker::make_sources(const embed::Gil& gil) {
  for (std::size_t p = 0; p < plan_.pipelines.size(); ++p) {
    const plan::SourceSpec& spec = plan_.pipelines[p].source;
    flow::Pipeline& pipeline = *assembly_->pipelines()[p];
    if (const auto* kafka = std::get_if<plan::KafkaSourceSpec>(&spec.from)) {
      kafka::ConsumerSettings settings = kafka->settings;
      settings.queue_bytes_max = kafka_queue_bytes();
      if (resilience_) {
        auto made = std::make_unique<source::KafkaEpochSource>(
            loop_, pipeline, intake_, std::move(settings), resilience_->positions(), metrics_);
        resilience_->add(*made);
        sources_.push_back(std::move(made));
        continue;
      }
      sources_.push_back(std::make_unique<source::KafkaSource>(
          loop_, pipeline, intake_, std::move(settings), options_.commit_interval_ms,
          [this](std::function<void()> then) { settlement_.when_delivered(std::move(then)); },
          metrics_));
    } else {
      sources_.push_back(std::make_unique<source::TcpSource>(
          loop_, pipeline, intake_, std::get<plan::TcpSourceSpec>(spec.from).address,
          framing_of(gil, spec.decoder, options_.frame_bytes_max),
          resilience_ ? resilience_->log_of(p) : nullptr, metrics_));
    }
  }
}

flow::Outlet& Worker::of_bytes(std::size_t pipeline, std::size_t sink) {
  return *byte_outlets_.at({pipeline, sink});
}

flow::MessageOutlet& Worker::of_messages(std::size_t pipeline, std::size_t sink) {
  return *message_outlets_.at({pipeline, sink});
}

flow::RecordOutlet& Worker::of_records(std::size_t pipeline, std::size_t sink) {
  return *record_outlets_.at({pipeline, sink});
}

Worker::~Worker() { close_storage(); }

int Worker::run() {
  int status = 0;
  try {
    status = run_to_the_end();
  } catch (...) {
    close_storage();
    throw;
  }
  close_storage();
  if (left_threads_ && status == 0) status = 1;
  log_summary();
  return status;
}

void Worker::close_storage() {
  if (storage_ && !storage_->close()) left_threads_ = true;
}

int Worker::run_to_the_end() {
  for (const auto& sink : sinks_) sink->open();
  int status = 0;
  try {
    status = run_loop();
  } catch (const flow::StopOnError& error) {
    log::error("{}: stopping (--on-error=stop)", error.what());
    status = 1;
  } catch (const kafka::KafkaError& error) {
    log::error("{}: stopping; offsets of what was not delivered are not committed", error.what());
    status = 1;
  } catch (const store::StoreError& error) {
    log::error("{}: stopping; a restart goes on behind the newest epoch", error.what());
    status = 1;
  } catch (const checkpoint::StateNotSaved& error) {
    log::error("{}: stopping; a restart goes on behind the newest epoch", error.what());
    status = 1;
  } catch (const embed::SystemExit& exit) {
    log::info("the application called sys.exit({})", exit.status());
    status = exit.status();
  }
  if (phase_ != Phase::kStopped) {  // the run was ended: what was put out is still written
    abandon();
    drain();
    const int drained = run_loop();
    if (status == 0) status = drained;
  }
  return status;
}

// What is half processed is in no epoch: a restart processes it again.
void Worker::abandon() {
  settlement_.clear();
  sources_.clear();
  if (!resilience_) return;
  resilience_->abandon();
  if (storage_) storage_->close_sinks();
  std::erase_if(sinks_, [](const auto& sink) {
    return dynamic_cast<const flow::EpochSink*>(sink.get()) != nullptr;
  });
}

int Worker::run_loop() {
  loop_.run();
  MACHIDA_CHECK(phase_ == Phase::kStopped, "the loop ran out of things to wait for");
  return status_;
}

void Worker::on_sink_connected() {
  if (phase_ != Phase::kConnecting) return;
  for (const auto& sink : sinks_)
    if (!sink->connected()) return;
  phase_ = Phase::kRunning;
  if (!resilience_) return open_sources();
  resilience_->start();
  replay_journal();
}

void Worker::replay_journal() {
  resilience_->replay(
      [this](std::size_t pipeline, std::span<const std::string_view> frames) {
        if (pipeline >= assembly_->pipelines().size()) return;
        const embed::GilLock gil;
        for (std::size_t at = 0; at < frames.size(); at += flow::kBatchRecordsMax)
          assembly_->pipelines()[pipeline]->run_frames(
              gil, frames.subspan(at, std::min(flow::kBatchRecordsMax, frames.size() - at)));
      },
      [this] { open_sources(); });
}

void Worker::open_sources() {
  for (std::size_t i = 0; i < sources_.size() && phase_ == Phase::kRunning; ++i)
    sources_[i]->open(
        [this, i](Result<std::vector<std::string>> lines) { on_source_open(i, lines); });
}

void Worker::on_source_open(std::size_t source, const Result<std::vector<std::string>>& lines) {
  if (!lines) {
    log::error("pipeline '{}': {}", plan_.pipelines[source].name, lines.error());
    return finish(1);
  }
  for (const std::string& line : *lines) say_(line);
  if (++sources_open_ == sources_.size()) say_("Application has successfully initialized.");
}

void Worker::drain() {
  if (phase_ == Phase::kDraining || phase_ == Phase::kStopped) return;
  if (phase_ == Phase::kConnecting) {
    log::info("stopping before the sources opened");
    return finish(0);
  }
  phase_ = Phase::kDraining;
  log::info("draining: what was read is processed and written");
  drain_deadline_ms_ = loop_.now_ms() + options_.drain_timeout_ms;
  for (const auto& source : sources_) source->drain();
  look_whether_drained();
}

void Worker::look_whether_drained() {
  bool sources_drained = true;
  for (const auto& source : sources_) sources_drained = sources_drained && source->drained();
  std::string undelivered;
  for (const auto& sink : sinks_)
    if (!sink->drained()) undelivered += (undelivered.empty() ? "" : ", ") + sink->undelivered();
  const bool closed = !resilience_ || resilience_->all_closed();
  if (sources_drained && undelivered.empty() && closed) return finish(0);
  if (sources_drained && resilience_) resilience_->end_epoch_soon();
  if (loop_.now_ms() < drain_deadline_ms_) return drain_look_.start(kDrainLookMs);
  if (!undelivered.empty())
    log::error("not drained in time (--drain-timeout): dropped {}", undelivered);
  if (!sources_drained)
    log::error("not drained in time (--drain-timeout): sources have not finished");
  if (!closed) log::error("not drained in time (--drain-timeout): the last epoch is not closed");
  finish(1);
}

void Worker::finish(int status) {
  phase_ = Phase::kStopped;
  status_ = status;
  loop_.stop();
}

void Worker::log_summary() const {
  log::info(
      "records in: {}, outputs: {}, dead letters: {}, unknown keys: {}, connections closed for bad "
      "input: {}",
      metrics_.total(flow::Pipeline::kCounter), metrics_.total(flow::OutputStep::kCounter),
      metrics_.total(flow::DeadLetterLog::kCounter), metrics_.total(flow::UnknownKeys::kCounter),
      metrics_.total(source::TcpSource::kBadConnections));
}

}  // namespace machida::worker
