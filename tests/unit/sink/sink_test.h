// What a sink needs in a unit test: a loop that turns only while the test waits; one to Kafka a
// mock cluster with a topic, too.
#pragma once

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "server/flow/dead_letters.h"
#include "server/flow/intake.h"
#include "server/kafka/reader.h"
#include "server/metrics/counter.h"
#include "server/sink/kafka_sink.h"
#include "server/uv/timer.h"
#include "tests/unit/kafka/mock_cluster.h"

namespace machida::testing {

class Letters final : public flow::DeadLetters {
 public:
  void add(const embed::Gil&, const flow::Place&, const embed::PythonError& error,
           _object*) override {
    texts.push_back(error.message());
  }
  std::vector<std::string> texts;
};

struct SinkTest {
  static constexpr int kTimeoutMs = 60'000;

  uv::Loop loop;
  metrics::Registry metrics;
  flow::Intake intake;
  Letters letters;

  void wait(const std::function<bool()>& condition) {
    uv::Timer deadline(loop, [] { FAIL("waited in vain"); });
    deadline.start(kTimeoutMs);
    uv::Timer look(loop, [this] { loop.stop(); });
    while (!condition()) {
      look.start(1);
      loop.run();
    }
  }

  void turn_for_ms(std::uint64_t duration_ms) {
    bool over = false;
    uv::Timer timer(loop, [&over] { over = true; });
    timer.start(duration_ms);
    wait([&over] { return over; });
  }
};

struct KafkaSinkTest : SinkTest {
  static constexpr const char* kTopic = "t";

  kafka::MockCluster cluster{kTopic};

  // Of a producer whose requests have that many messages.
  kafka::ProducerSettings settings(int request_messages) const {
    kafka::ProducerSettings out{{cluster.brokers(), "Error", {}}, kTopic};
    out.client.properties = {{"batch.num.messages", std::to_string(request_messages)},
                             {"log_level", "0"}};
    return out;
  }

  // Until the sink's counter is above what it was when it was last waited for.
  void wait_more(const char* counter_name) {
    const metrics::Counter& counter = metrics.counter(counter_name, {{"topic", kTopic}});
    std::uint64_t& seen = seen_[counter_name];
    wait([&counter, before = seen] { return counter.value() > before; });
    seen = counter.value();
  }

  // The first messages of the topic, in order.
  std::vector<std::string> arrived(std::size_t count) const {
    kafka::Reader reader({{"bootstrap.servers", cluster.brokers()}, {"log_level", "0"}}, kTopic, 0,
                         0, kTimeoutMs);
    std::vector<std::string> values;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTimeoutMs);
    while (values.size() < count) {
      kafka::MessageBatch batch;
      if (reader.take(batch, 100) == 0) {
        REQUIRE_MESSAGE(std::chrono::steady_clock::now() < deadline, "waited in vain");
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      for (std::size_t i = 0; i < batch.size(); ++i)
        if (const auto value = batch.value(i); value && batch.error(i).empty())
          values.emplace_back(*value);
    }
    return values;
  }

 private:
  std::map<std::string, std::uint64_t> seen_;
};

}  // namespace machida::testing
