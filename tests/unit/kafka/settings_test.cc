#include "server/kafka/settings.h"

#include <doctest/doctest.h>

using namespace machida::kafka;

TEST_CASE("a consumer never commits by itself, whatever its defaults are") {
  ConsumerSettings settings{{"127.0.0.1:9092", "Warn", {}}, "t", "g", "earliest"};
  const Properties all = effective(settings);
  CHECK(all.at("enable.auto.commit") == "false");
  CHECK(all.at("group.id") == "g");
  CHECK(all.at("auto.offset.reset") == "earliest");
  CHECK(mistakes_in(settings).empty());
}

TEST_CASE("a producer is idempotent and waits for a broker that is away") {
  ProducerSettings settings{{"127.0.0.1:9092", "Fine", {}}, "t"};
  const Properties all = effective(settings);
  CHECK(all.at("enable.idempotence") == "true");
  CHECK(all.at("acks") == "all");
  CHECK(all.at("message.timeout.ms") == "0");
  CHECK(mistakes_in(settings).empty());
}

TEST_CASE("the application's properties win over ours") {
  ProducerSettings settings{{"127.0.0.1:9092", "Info", {{"linger.ms", "7"}}}, "t"};
  CHECK(effective(settings).at("linger.ms") == "7");
}

TEST_CASE("a wrong property or a file that can't be read is a mistake that names it") {
  ConsumerSettings settings{{"127.0.0.1:9092",
                             "Error",
                             {{"no.such.property", "1"},
                              {"fetch.min.bytes", "many"},
                              {"ssl.ca.location", "/nowhere/ca.pem"}}},
                            "t",
                            "g",
                            "latest"};
  std::string all;
  for (const std::string& mistake : mistakes_in(settings)) all += mistake + "\n";
  CHECK(all.find("no.such.property") != std::string::npos);
  CHECK(all.find("fetch.min.bytes") != std::string::npos);
  CHECK(all.find("'/nowhere/ca.pem' can't be read") != std::string::npos);
}

TEST_CASE("the largest message decides what librdkafka accepts") {
  ProducerSettings settings{{"127.0.0.1:9092", "Warn", {}}, "t"};
  settings.message_bytes_max = 5'000'000;
  CHECK(std::stoul(effective(settings).at("message.max.bytes")) > 5'000'000);
}
