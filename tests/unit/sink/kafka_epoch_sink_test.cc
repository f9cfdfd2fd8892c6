#include "server/sink/kafka_epoch_sink.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/sink/sink_test.h"

using namespace machida;

namespace {

constexpr int kRequestMessages = 3;  // so that some wait when the transaction fails

// Its transactions' id is that of the sink before it, as after a restart of the server.
struct Sinking : testing::KafkaSinkTest {
  kafka::ProducerSettings in_transactions() const {
    kafka::ProducerSettings out = settings(kRequestMessages);
    out.transactional_id = "unit";
    return out;
  }

  // `newest_epoch`: what the store of the server ends with; `outbox`: of that one, when it may not
  // be visible.
  void begin(std::int64_t newest_epoch, const sink::Outbox::Chunks& outbox = {}) {
    sink.reset();
    sink = std::make_unique<sink::KafkaEpochSink>(
        loop, intake, "id", in_transactions(), flow::Place{"main", "sink"}, letters, metrics,
        newest_epoch, sink::KafkaEpochSink::Calls{[] {}, [] {}, [] {}});
    if (!outbox.empty()) sink->recover(outbox);
    sink->open();
    wait([this] { return sink->connected(); });
  }

  void write(int first, int last) {
    for (int i = first; i <= last; ++i)
      CHECK(sink->write("m" + std::to_string(i), "key", std::nullopt) == "");
  }

  sink::Outbox::Chunks commit(std::int64_t epoch) {
    sink::Outbox::Chunks outbox = sink->end_epoch(epoch);
    sink->commit(epoch);
    wait([&] { return sink->committed(epoch); });
    return outbox;
  }

  std::unique_ptr<sink::KafkaEpochSink> sink;
};

}  // namespace

// Between the failure and the owner's notice of it the producer takes no messages.
TEST_CASE("a transaction that fails while messages are sent is produced again as a whole") {
  Sinking sinking;
  sinking.begin(0);
  sinking.write(1, 50);
  sinking.commit(1);
  sinking.cluster.refuse_sequences(true);
  int next = 51;
  const metrics::Counter& aborts =
      sinking.metrics.counter(sink::KafkaEpochSink::kAborts, {{"topic", sinking.kTopic}});
  sinking.wait([&] {
    if (aborts.value() == 0) sinking.write(next, next + 19), next += 20;
    return aborts.value() > 0;
  });
  sinking.cluster.refuse_sequences(false);
  sinking.write(next, next + 99);
  sinking.commit(2);
  CHECK(sinking.letters.texts == std::vector<std::string>{});
  CHECK(sinking.sink->drained());
  // The mock cluster shows what was aborted, too.
  const std::vector<std::string> all = sinking.arrived(static_cast<std::size_t>(next + 99));
  std::set<std::string> missing;
  for (int i = 1; i < next + 100; ++i) missing.insert("m" + std::to_string(i));
  for (const std::string& value : all) missing.erase(value);
  CHECK(missing == std::set<std::string>{});
}

TEST_CASE("each message is of one epoch only, also those that come while another is committed") {
  Sinking sinking;
  sinking.begin(0);
  sinking.write(1, 3);
  sinking.sink->end_epoch(1);
  sinking.write(4, 5);
  sinking.sink->commit(1);
  sinking.wait([&] { return sinking.sink->committed(1); });
  CHECK(sinking.sink->has_outputs());
  sinking.commit(2);
  CHECK_FALSE(sinking.sink->has_outputs());
  sinking.write(6, 6);
  sinking.commit(3);
  CHECK(sinking.arrived(6) == std::vector<std::string>{"m1", "m2", "m3", "m4", "m5", "m6"});
}

// Which epoch is visible, the mock cluster does not remember.
TEST_CASE("an epoch that was stored and is not visible is produced again before the next one") {
  sink::Outbox stored;
  for (const char* message : {"m1", "m2"}) stored.append(message, "key", std::nullopt);
  Sinking sinking;
  sinking.begin(1, stored.chunks());
  sinking.wait([&] { return sinking.sink->committed(1); });
  sinking.write(3, 3);
  sinking.commit(2);
  CHECK(sinking.sink->drained());
  CHECK(sinking.arrived(3) == std::vector<std::string>{"m1", "m2", "m3"});
}
