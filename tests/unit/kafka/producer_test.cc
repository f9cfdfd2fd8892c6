#include "server/kafka/producer.h"

#include <doctest/doctest.h>

#include <atomic>

using namespace machida::kafka;

namespace {

struct Nothing final : ProducerEvents {
  void on_delivered(std::uint64_t, const OutMessage&, const Fate&) override {}
  void on_trouble(Trouble, const std::string&) override {}
  void on_fatal(const std::string&) override {}
};

}  // namespace

// Its queue may be filled, by a broker that refuses the connection, before anybody listens; no
// message's fate would wake the loop then.
TEST_CASE("a new producer wakes its owner, for what may have happened while it was made") {
  ProducerSettings settings{{"127.0.0.1:9", "Error", {}}, "t"};
  settings.client.properties["log_level"] = "0";
  Nothing events;
  std::atomic<int> wakes = 0;
  const Producer producer(settings, events, [&wakes] { ++wakes; });
  CHECK(wakes > 0);
}
