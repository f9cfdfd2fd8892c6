// What a Kafka source tells of itself: once that it is open, and what it waits for, also before it
// is open. Worker's thread.
#pragma once

#include <string>

#include "server/flow/pipeline.h"
#include "server/kafka/troubles.h"
#include "server/metrics/counter.h"
#include "server/source/source.h"

namespace machida::source {

class KafkaStatus {
 public:
  static constexpr const char* kTroubles = "machida_source_kafka_troubles_total";

  // `from`: of the line that says that it is open, such as "from the checkpoint".
  KafkaStatus(const flow::Pipeline& pipeline, const std::string& topic, const std::string& from,
              metrics::Registry& metrics);

  // "pipeline 'counts': topic 'words'"
  const std::string& who() const noexcept { return troubles_.who(); }

  void opening(OnOpen on_open) { on_open_ = std::move(on_open); }
  // Messages can come: calls `on_open` if it was not called yet.
  void opened();
  // A topic that does not exist yet keeps no application from starting: it counts as opened.
  void trouble(kafka::Trouble kind, const std::string& what);
  void well_again() { troubles_.over(); }

 private:
  std::string opened_line_;
  metrics::Counter& troubles_total_;
  kafka::Troubles troubles_;
  OnOpen on_open_;  // until it was called
};

}  // namespace machida::source
