// The two ends of a worker's pipelines: its sinks and sources, made from the plan.
#include <fmt/core.h>

#include <algorithm>

#include "server/base/log.h"
#include "server/sink/kafka_epoch_sink.h"
#include "server/sink/kafka_sink.h"
#include "server/source/kafka_epoch_source.h"
#include "server/source/kafka_source.h"
#include "server/source/tcp_source.h"
#include "server/worker/worker.h"

namespace machida::worker {

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
            loop_, sinks_room_, std::get<plan::TcpSinkSpec>(spec.to).address, metrics_, connected);
        settlement_.watch(*sink);
        if (resilience_) resilience_->add(static_cast<flow::Delivery&>(*sink));
        tcp_sinks_[{p, s}] = sink.get();
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
    auto made = std::make_unique<sink::KafkaSink>(loop_, sinks_room_, std::move(settings), place,
                                                  dead_letters, metrics_, connected);
    settlement_.watch(*made);
    message_outlets_[{pipeline, sink}] = made.get();
    sinks_.push_back(std::move(made));
    return;
  }
  std::string id = fmt::format("{}-{}-{}", place.pipeline, settings.topic, sink);
  if (options_.seat.index != 0) id += fmt::format("-w{}", options_.seat.index);
  settings.transactional_id = fmt::format("machida-{}-{}", resilience_->identity(), id);
  auto made = std::make_unique<sink::KafkaEpochSink>(
      loop_, sinks_room_, id, std::move(settings), place, dead_letters, metrics_,
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
  const SeatOptions& seat = options_.seat;
  if (!storage_)
    storage_ = std::make_unique<StorageSinks>(gil, options_.storage, seat.index, seat.workers);
  const std::string& name = spec.name.empty() ? spec.type : spec.name;
  const flow::Place place{plan_.pipelines[pipeline].name, "sink"};
  const std::string id = fmt::format("{}-{}-{}", place.pipeline, name, sink);
  const std::string identity = resilience_ ? resilience_->identity() : "";
  sink::StorageSink::Parts parts{
      .id = id,
      .people = spec.name.empty() ? spec.type : fmt::format("{} '{}'", spec.type, spec.name),
      .place = place,
      .running_sink =
          storage_->running(gil, spec, fmt::format("machida-{}-{}-{}", identity, seat.index, id)),
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
  auto made = std::make_unique<sink::StorageSink>(gil, loop_, sinks_room_, std::move(parts),
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
        const source::KafkaEpochSource::Share share{
            static_cast<std::int32_t>(options_.seat.index),
            static_cast<std::int32_t>(options_.seat.workers)};
        auto made = std::make_unique<source::KafkaEpochSource>(loop_, pipeline, intake_,
                                                               std::move(settings), share,
                                                               resilience_->positions(), metrics_);
        resilience_->add(*made);
        sources_.push_back(std::move(made));
        continue;
      }
      sources_.push_back(std::make_unique<source::KafkaSource>(
          loop_, pipeline, intake_, std::move(settings), options_.commit_interval_ms,
          when_delivered(), metrics_));
    } else {
      auto made = std::make_unique<source::TcpSource>(
          loop_, pipeline, intake_, std::get<plan::TcpSourceSpec>(spec.from).address,
          framing_of(gil, spec.decoder, options_.frame_bytes_max),
          resilience_ ? resilience_->log_of(journal_numbers_.of(p)) : nullptr, metrics_);
      if (options_.seat.control >= 0) made->leave_listening();
      sources_.push_back(std::move(made));
    }
  }
}

void Worker::take_over_connections() {
  const cluster::KeptNumbers& numbers = options_.seat.kept;
  if (numbers.list < 0) return;
  std::vector<uv::Descriptor> sockets;
  for (int i = 0; i < numbers.count; ++i) sockets.emplace_back(numbers.first + i);
  const uv::Descriptor list(numbers.list);
  std::map<std::size_t, std::vector<uv::OpenConnection>> clients;
  for (cluster::KeptConnection& kept : cluster::read_list(list.get(), std::move(sockets))) {
    if (kept.end == cluster::KeptConnection::End::kClient)
      clients[kept.pipeline].push_back(std::move(kept.open));
    else if (const auto sink = tcp_sinks_.find({kept.pipeline, kept.sink});
             sink != tcp_sinks_.end())
      sink->second->take_over(std::move(kept.open.socket));
  }
  for (auto& [pipeline, open] : clients) sources_.at(pipeline)->take_over(std::move(open));
}

void Worker::take_client(std::uint32_t pipeline, uv::Descriptor client) {
  std::vector<uv::OpenConnection> open;
  open.push_back({std::move(client), ""});
  sources_.at(pipeline)->take_over(std::move(open));
}

void Worker::hand_over_connections() {
  cluster::KeptConnections kept;
  using End = cluster::KeptConnection::End;
  for (std::uint32_t p = 0; p < sources_.size(); ++p)
    for (uv::OpenConnection& open : sources_[p]->release())
      kept.push_back({End::kClient, p, 0, std::move(open)});
  for (const auto& [place, sink] : tcp_sinks_) {
    uv::Descriptor socket = sink->release();
    if (socket.get() < 0) continue;
    kept.push_back({End::kSink,
                    static_cast<std::uint32_t>(place.first),
                    static_cast<std::uint32_t>(place.second),
                    {std::move(socket), ""}});
  }
  std::erase_if(kept, [](const auto& one) { return one.open.socket.get() < 0; });
  const std::string why = membership_->hand_over(kept);
  if (!why.empty()) log::warn("{} connections are closed, not handed over: {}", kept.size(), why);
}

// Where the outputs may be another worker's, all have to be asked.
source::WhenDelivered Worker::when_delivered() {
  if (options_.seat.alone())
    return [this](std::function<void()> then) { settlement_.when_delivered(std::move(then)); };
  return [this](std::function<void()> then) { rounds_.when_delivered(std::move(then)); };
}

}  // namespace machida::worker
