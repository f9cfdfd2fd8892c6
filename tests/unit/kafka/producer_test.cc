#include "server/kafka/producer.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/unit/kafka/mock_cluster.h"

using namespace machida::kafka;

namespace {

struct Nothing final : ProducerEvents {
  void on_delivered(std::uint64_t, const OutMessage&, const Fate&) override {}
  void on_trouble(Trouble, const std::string&) override {}
  void on_fatal(const std::string&) override {}
};

// Ends the run at the first message.
struct Strict final : ProducerEvents {
  void on_delivered(std::uint64_t, const OutMessage&, const Fate&) override {
    if (told++ == 0) throw std::runtime_error("stop");
  }
  void on_trouble(Trouble, const std::string&) override {}
  void on_fatal(const std::string&) override {}
  int told = 0;
};

}  // namespace

TEST_CASE("an owner that throws at one message is told the fates of the others all the same") {
  constexpr int kMessages = 50;
  const MockCluster cluster("t");
  ProducerSettings settings{{cluster.brokers(), "Error", {}}, "t"};
  settings.client.properties["log_level"] = "0";
  settings.linger_ms = 100;
  Strict events;
  Producer producer(settings, events, [] {});
  std::string why;
  for (int i = 0; i < kMessages; ++i)
    REQUIRE(producer.send({"m", {}, {}}, static_cast<std::uint64_t>(i), why) == Sent::kYes);
  int thrown = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (events.told < kMessages && std::chrono::steady_clock::now() < deadline) {
    try {
      producer.serve();
    } catch (const std::runtime_error&) {
      ++thrown;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(events.told == kMessages);
  CHECK(thrown == 1);
}

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
