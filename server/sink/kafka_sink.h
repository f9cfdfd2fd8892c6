// Produces a pipeline's outputs to a topic, idempotently and acknowledged by all replicas in sync.
// A broker that is away is waited for; a queue that is full pauses the sources. What can never be
// delivered becomes a dead letter with the broker's reason. An idempotent producer that fails for
// good, which librdkafka 2.0 does when it and a broker disagree about what was sent, is replaced:
// the new one gets what the old one had not delivered, in order. Worker's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/flow/dead_letters.h"
#include "server/flow/intake_hold.h"
#include "server/flow/outlet.h"
#include "server/kafka/producer.h"
#include "server/kafka/troubles.h"
#include "server/metrics/counter.h"
#include "server/sink/sink.h"
#include "server/uv/loop.h"
#include "server/uv/offload.h"
#include "server/uv/timer.h"

namespace machida::sink {

class KafkaSink final : public Sink, public flow::MessageOutlet, public kafka::ProducerEvents {
 public:
  static constexpr const char* kMessages = "machida_sink_kafka_messages_total";
  static constexpr const char* kTroubles = "machida_sink_kafka_troubles_total";

  // `on_connected` is called once, when the brokers answer for the first time.
  KafkaSink(uv::Loop& loop, flow::Intake& intake, kafka::ProducerSettings settings,
            flow::Place place, flow::DeadLetters& dead_letters, metrics::Registry& metrics,
            std::function<void()> on_connected);
  ~KafkaSink() override;

  void open() override;
  bool connected() const override { return connected_; }
  bool drained() override { return queued_messages_ == 0; }
  std::string undelivered() const override;

  std::string write(std::string_view value, std::optional<std::string_view> key,
                    std::optional<std::int32_t> partition) override;
  // Delivered means: acknowledged by the brokers.
  std::uint64_t mark() override { return generation_++; }
  bool delivered(std::uint64_t mark) override;

 private:
  // A message that librdkafka has not, or not any more.
  struct Held {
    std::uint64_t tag;
    std::string value;
    std::optional<std::string> key;
    std::optional<std::int32_t> partition;
  };

  struct Generation {
    std::uint64_t first_tag;
    std::size_t messages = 0;  // without a fate
  };

  void on_delivered(std::uint64_t tag, const kafka::OutMessage& message,
                    const kafka::Fate& fate) override;
  void on_trouble(kafka::Trouble kind, const std::string& what) override;
  void on_fatal(const std::string& what) override;

  void probed(const std::string& error);
  void serve();
  void end_producer();
  void replace_producer();
  void send_held();
  void settle(std::uint64_t tag, std::size_t bytes);
  void follow_queue();
  void forget_delivered();
  void fail(std::string_view value, const std::string& why);

  uv::Loop& loop_;
  flow::IntakeHold intake_;
  kafka::ProducerSettings settings_;
  flow::Place place_;
  flow::DeadLetters& dead_letters_;
  metrics::Counter& messages_total_;
  metrics::Counter& troubles_total_;
  kafka::Troubles troubles_;
  std::function<void()> on_connected_;

  uv::Wake wake_;
  uv::Timer retry_;
  uv::Timer replace_;
  std::shared_ptr<kafka::Producer> producer_;
  std::shared_ptr<bool> alive_;  // asked by what comes back from other threads
  bool connected_ = false;
  enum class Producing { kYes, kFailed, kBeingReplaced } producing_ = Producing::kYes;

  std::deque<Held> held_;       // by tag
  std::vector<Held> returned_;  // by the producer that is lost
  std::size_t queued_messages_ = 0, queued_bytes_ = 0;
  std::uint64_t next_tag_ = 0;          // of messages: they are counted
  std::deque<Generation> outstanding_;  // what was written between two marks
  std::uint64_t first_generation_ = 0;  // of outstanding_
  std::uint64_t generation_ = 0;        // of what is written now
};

}  // namespace machida::sink
