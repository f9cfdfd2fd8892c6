#include "server/sink/kafka_epoch_sink.h"

#include <set>
#include <string>
#include <vector>

#include "tests/unit/sink/sink_test.h"

using namespace machida;

namespace {

constexpr int kRequestMessages = 3;  // so that some wait when the transaction fails

struct Sinking : testing::SinkTest {
  Sinking()
      : sink(loop, intake, "id", in_transactions(), {"main", "sink"}, letters, metrics, 0,
             {[] {}, [] {}, [] {}}) {
    sink.open();
    wait([this] { return sink.connected(); });
  }

  kafka::ProducerSettings in_transactions() const {
    kafka::ProducerSettings out = settings(kRequestMessages);
    out.transactional_id = "unit";
    return out;
  }

  void write(int first, int last) {
    for (int i = first; i <= last; ++i)
      CHECK(sink.write("m" + std::to_string(i), "key", std::nullopt) == "");
  }

  void commit(std::int64_t epoch) {
    sink.end_epoch(epoch);
    sink.commit(epoch);
    wait([&] { return sink.committed(epoch); });
  }

  sink::KafkaEpochSink sink;
};

}  // namespace

// Between the failure and the owner's notice of it the producer takes no messages.
TEST_CASE("a transaction that fails while messages are sent is produced again as a whole") {
  Sinking sinking;
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
  CHECK(sinking.sink.drained());
  // The mock cluster shows what was aborted, too.
  const std::vector<std::string> all = sinking.arrived(static_cast<std::size_t>(next + 99));
  std::set<std::string> missing;
  for (int i = 1; i < next + 100; ++i) missing.insert("m" + std::to_string(i));
  for (const std::string& value : all) missing.erase(value);
  CHECK(missing == std::set<std::string>{});
}
