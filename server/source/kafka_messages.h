// The messages of a Kafka source: taken from its consumer in batches and run through the pipeline,
// with a position behind the last one of each partition. Worker's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "server/flow/intake.h"
#include "server/flow/message.h"
#include "server/flow/pipeline.h"
#include "server/kafka/consumer.h"
#include "server/kafka/message_batch.h"
#include "server/metrics/counter.h"
#include "server/uv/loop.h"

namespace machida::source {

class KafkaMessages {
 public:
  static constexpr const char* kMessages = "machida_source_kafka_messages_total";

  KafkaMessages(uv::Loop& loop, flow::Pipeline& pipeline, flow::Intake& intake,
                const std::string& topic, metrics::Registry& metrics);

  struct Ran {
    std::size_t messages = 0;
    bool more = false;  // the share of the turn was used up
    std::string error;  // that stood in place of a message, the last one
  };
  // What has arrived, until the intake pauses or this turn's share is used up. Throws KafkaError
  // when a partition has no offset to start from and none may be chosen, and what a pipeline
  // throws.
  Ran run(kafka::Consumer& consumer);

  // Behind what was processed. The owner sets it when partitions come and go.
  kafka::Positions& positions() noexcept { return positions_; }
  const kafka::Positions& positions() const noexcept { return positions_; }

  // Lets go of the messages of the last batch, which belong to the consumer.
  void forget() { batch_.clear(); }

 private:
  void run_batch(Ran& ran);
  void refill(kafka::Consumer& consumer);

  uv::Loop& loop_;
  flow::Pipeline& pipeline_;
  flow::Intake& intake_;
  std::string topic_;
  metrics::Counter& messages_total_;
  kafka::MessageBatch batch_;
  std::vector<flow::Message> messages_;  // of the batch in work, kept for its capacity
  kafka::Positions positions_;
  std::shared_ptr<bool> refilling_;  // shared with the work off the loop
};

}  // namespace machida::source
