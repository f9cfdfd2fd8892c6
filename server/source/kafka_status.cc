#include "server/source/kafka_status.h"

#include <fmt/core.h>

#include <utility>
#include <vector>

namespace machida::source {

KafkaStatus::KafkaStatus(const flow::Pipeline& pipeline, const std::string& topic,
                         const std::string& from, metrics::Registry& metrics)
    : opened_line_(fmt::format("consuming {} {} (pipeline \"{}\")", topic, from, pipeline.name())),
      troubles_total_(metrics.counter(kTroubles, {{"topic", topic}})),
      troubles_(fmt::format("pipeline '{}': topic '{}'", pipeline.name(), topic)) {}

void KafkaStatus::opened() {
  if (!on_open_) return;
  const OnOpen on_open = std::exchange(on_open_, nullptr);
  on_open(std::vector<std::string>{opened_line_});
}

void KafkaStatus::trouble(kafka::Trouble kind, const std::string& what) {
  troubles_total_.add();
  const bool is_awaited = on_open_ && kind == kafka::Trouble::kBrokers;
  troubles_.say(kind, what, is_awaited ? ", the application starts then" : "");
  if (kind == kafka::Trouble::kTopic) opened();
}

}  // namespace machida::source
