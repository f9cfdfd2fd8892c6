#include "server/source/kafka_messages.h"

#include <chrono>

#include "server/flow/batch.h"
#include "server/source/source.h"
#include "server/uv/offload.h"

namespace machida::source {

KafkaMessages::KafkaMessages(uv::Loop& loop, flow::Pipeline& pipeline, flow::Intake& intake,
                             const std::string& topic, metrics::Registry& metrics)
    : loop_(loop),
      pipeline_(pipeline),
      intake_(intake),
      topic_(topic),
      messages_total_(metrics.counter(kMessages, {{"topic", topic}})) {}

KafkaMessages::Ran KafkaMessages::run(kafka::Consumer& consumer) {
  Ran ran;
  const auto start = std::chrono::steady_clock::now();
  while (!intake_.paused()) {
    if (consumer.take(batch_, flow::kBatchRecordsMax) == 0) return ran;
    refill(consumer);
    intake_.pause_if_it_throws([&] { run_batch(ran); });
    ran.more = std::chrono::steady_clock::now() - start > kShareOfTurn;
    if (ran.more) return ran;
  }
  return ran;
}

void KafkaMessages::run_batch(Ran& ran) {
  messages_.clear();
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    std::string error = batch_.error(i);
    if (batch_.lacks_offset(i))
      throw kafka::KafkaError("topic '" + topic_ + "': " + error + " (start=\"error\")");
    if (!error.empty()) {
      ran.error = std::move(error);
      continue;
    }
    const auto position = positions_.try_emplace(batch_.partition(i), 0).first;
    if (batch_.offset(i) < position->second) continue;  // librdkafka may repeat after a resume
    position->second = batch_.offset(i) + 1;
    flow::Message& message = messages_.emplace_back();
    message.value = batch_.value(i);
    if (!pipeline_.wants_messages()) continue;
    message.key = batch_.key(i);
    message.topic = topic_;
    message.partition = batch_.partition(i);
    message.offset = batch_.offset(i);
    message.timestamp_ms = batch_.timestamp_ms(i);
    message.headers = batch_.headers(i);
  }
  if (messages_.empty()) return;
  {
    const embed::GilLock gil;
    pipeline_.run_messages(gil, messages_);
  }
  ran.messages += messages_.size();
  messages_total_.add(messages_.size());
}

void KafkaMessages::refill(kafka::Consumer& consumer) {
  if (refilling_ && *refilling_) return;
  std::function<void()> ask = consumer.refill();
  if (!ask) return;
  refilling_ = std::make_shared<bool>(true);
  uv::offload(loop_, std::move(ask), [refilling = refilling_] { *refilling = false; });
}

}  // namespace machida::source
