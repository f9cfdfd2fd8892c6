#include "server/source/kafka_epoch_source.h"

#include <doctest/doctest.h>

#include <vector>

#include "server/flow/pipeline.h"
#include "tests/unit/sink/sink_test.h"

using namespace machida;

namespace {

struct SourceTest : testing::KafkaSinkTest {
  flow::Pipeline pipeline{"p", nullptr, {}, {}, metrics};  // nothing runs through it
  source::KafkaEpochSource source{
      loop,   pipeline,
      intake, {{cluster.brokers(), "Error", {{"log_level", "0"}}}, kTopic, "group", "earliest"},
      {},     {},
      metrics};
  bool open = false;

  void begin() {
    source.open([this](const auto& lines) { open = bool(lines); });
  }
  std::vector<Position> positions() const {
    std::vector<Position> out;
    source.positions(out);
    return out;
  }
};

}  // namespace

TEST_CASE_FIXTURE(SourceTest, "the partitions of a source are part of an epoch once it is open") {
  begin();
  wait([this] { return open; });
  REQUIRE(positions().size() == 1);
  CHECK(positions()[0].part == "0");
}

TEST_CASE_FIXTURE(SourceTest, "what is found after a drain has begun changes no position") {
  begin();
  source.drain();
  turn_for_ms(1000);  // the answer comes within some of them
  CHECK_FALSE(open);
  CHECK(positions().empty());
}
