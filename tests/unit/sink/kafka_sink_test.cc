#include "server/sink/kafka_sink.h"

#include <string>
#include <vector>

#include "tests/unit/sink/sink_test.h"

using namespace machida;

namespace {

constexpr int kRequestMessages = 3;  // so that some wait when the producer fails

struct Sinking : testing::KafkaSinkTest {
  Sinking()
      : sink(loop, intake, settings(kRequestMessages), {"main", "sink"}, letters, metrics, [] {}) {
    sink.open();
    wait([this] { return sink.connected(); });
  }

  void write(int first, int last) {
    for (int i = first; i <= last; ++i)
      CHECK(sink.write("m" + std::to_string(i), "key", std::nullopt) == "");
  }

  void wait_delivered() {
    const std::uint64_t mark = sink.mark();
    wait([&] { return sink.delivered(mark); });
  }

  sink::KafkaSink sink;
};

std::vector<std::string> numbered(int first, int last) {
  std::vector<std::string> out;
  for (int i = first; i <= last; ++i) out.push_back("m" + std::to_string(i));
  return out;
}

}  // namespace

TEST_CASE("a producer that fails for good is replaced, and nothing is lost or out of order") {
  Sinking sinking;
  sinking.write(1, 5);
  sinking.wait_delivered();
  for (const int begin : {6, 206}) {
    sinking.cluster.refuse_sequences(true);
    sinking.write(begin, begin + 99);  // some are in requests, most in the queue
    const std::uint64_t mark = sinking.sink.mark();
    sinking.wait_more(sink::KafkaSink::kTroubles);
    sinking.write(begin + 100, begin + 149);
    CHECK_FALSE(sinking.sink.delivered(mark));
    sinking.turn_for_ms(100);  // until nothing of the old producer is on its way
    sinking.cluster.refuse_sequences(false);
    sinking.wait([&] { return sinking.sink.delivered(mark); });
    sinking.write(begin + 150, begin + 199);
    sinking.wait_delivered();
  }
  CHECK(sinking.sink.drained());
  CHECK(sinking.letters.texts == std::vector<std::string>{});
  CHECK(sinking.arrived(405) == numbered(1, 405));
}

TEST_CASE("a mark is behind what was written before it, and not behind what comes later") {
  Sinking sinking;
  const std::uint64_t nothing = sinking.sink.mark();
  CHECK(sinking.sink.delivered(nothing));
  sinking.cluster.set_reachable(false);
  sinking.write(1, 3);
  const std::uint64_t three = sinking.sink.mark();
  CHECK(sinking.sink.delivered(nothing));
  CHECK_FALSE(sinking.sink.delivered(three));
  sinking.cluster.set_reachable(true);
  sinking.wait([&] { return sinking.sink.delivered(three); });
  sinking.cluster.set_reachable(false);
  sinking.write(4, 4);
  CHECK(sinking.sink.delivered(three));
  CHECK_FALSE(sinking.sink.drained());
  CHECK(sinking.sink.undelivered() == "1 messages for topic 't'");
  sinking.cluster.set_reachable(true);
  sinking.wait([&] { return sinking.sink.drained(); });
  CHECK(sinking.arrived(4) == numbered(1, 4));
}
