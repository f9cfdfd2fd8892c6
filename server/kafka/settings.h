// What a Kafka client is made with: librdkafka properties, ours and the application's, checked
// before anything starts. Source of the names: librdkafka's CONFIGURATION.md.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace machida::kafka {

using Properties = std::map<std::string, std::string>;

// What librdkafka keeps in memory beside a queued message's key and value, about.
inline constexpr std::size_t kBytesBesideMessage = 256;

struct ClientSettings {
  std::string brokers;    // "host:port,host:port"
  std::string log_level;  // Fine, Info, Warn or Error
  Properties properties;  // the application's, which win over ours
};

struct ConsumerSettings {
  ClientSettings client;
  std::string topic;
  std::string group;
  std::string start;  // earliest, latest or error: without a committed offset
  std::size_t queue_bytes_max = 64u << 20;
};

struct ProducerSettings {
  ClientSettings client;
  std::string topic;
  long linger_ms = 0;
  std::size_t message_bytes_max = 100'000;  // of key and value
  std::size_t queue_bytes_max = 64u << 20;  // with what librdkafka keeps beside each message
  std::string transactional_id;             // empty: idempotent, without transactions
};

// What is wrong with the settings: unknown properties, bad values, files that can't be read.
std::vector<std::string> mistakes_in(const ConsumerSettings& settings);
std::vector<std::string> mistakes_in(const ProducerSettings& settings);

// All properties that the client gets, with ours beneath the application's.
Properties effective(const ConsumerSettings& settings);
Properties effective(const ProducerSettings& settings);
// For the client that reads back what a transactional producer has marked as committed.
Properties marker_properties(const ProducerSettings& settings);

}  // namespace machida::kafka
