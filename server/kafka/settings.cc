#include "server/kafka/settings.h"

#include <unistd.h>

#include <algorithm>

#include "server/kafka/client.h"

namespace machida::kafka {
namespace {

std::string syslog_level(const std::string& log_level) {
  if (log_level == "Fine") return "7";
  if (log_level == "Info") return "6";
  if (log_level == "Warn") return "4";
  return "3";
}

// Names a new topic or partition within seconds, and is gentle on a broker that is away.
Properties common(const ClientSettings& client) {
  return {
      {"bootstrap.servers", client.brokers},
      {"client.id", "machida"},  // short and fixed: long ones crash librdkafka before 2.5
      {"log_level", syslog_level(client.log_level)},
      {"topic.metadata.refresh.interval.ms", "5000"},
      {"reconnect.backoff.ms", "100"},
      {"reconnect.backoff.max.ms", "2000"},
      {"socket.nagle.disable", "true"},
  };
}

Properties merged(Properties ours, const Properties& theirs) {
  for (const auto& [name, value] : theirs) ours[name] = value;
  return ours;
}

// librdkafka looks for the system's certificates itself then.
bool is_word_for_system_store(const Properties::value_type& property) {
  return property.first == "ssl.ca.location" && property.second == "probe";
}

std::vector<std::string> mistakes_of(const Properties& properties, const Properties& theirs) {
  std::vector<std::string> out;
  for (const auto& [name, value] : properties) {
    const std::string why = property_mistake(name, value);
    if (!why.empty()) out.push_back("Kafka property " + name + ": " + why);
  }
  for (const char* file : {"ssl.ca.location", "ssl.certificate.location", "ssl.key.location",
                           "ssl.keystore.location", "ssl.crl.location", "sasl.kerberos.keytab"}) {
    const auto found = theirs.find(file);
    if (found == theirs.end() || is_word_for_system_store(*found)) continue;
    if (access(found->second.c_str(), R_OK) != 0)
      out.push_back(std::string("Kafka property ") + file + ": the file '" + found->second +
                    "' can't be read");
  }
  return out;
}

}  // namespace

Properties effective(const ConsumerSettings& s) {
  Properties ours = common(s.client);
  ours["group.id"] = s.group;
  ours["auto.offset.reset"] = s.start;
  ours["enable.auto.commit"] = "false";
  ours["enable.auto.offset.store"] = "false";
  ours["partition.assignment.strategy"] = "range,roundrobin";
  ours["session.timeout.ms"] = "6000";  // how long a killed server keeps its partitions
  ours["heartbeat.interval.ms"] = "1500";
  // Half of the memory for messages, half for what librdkafka keeps beside each of them.
  ours["queued.min.messages"] =
      std::to_string(std::max<std::size_t>(s.queue_bytes_max / kBytesBesideMessage / 2, 100));
  ours["queued.max.messages.kbytes"] =
      std::to_string(std::max<std::size_t>(s.queue_bytes_max >> 11, 1));
  ours["fetch.wait.max.ms"] = "500";
  // How long a full queue stays without a fetch; before librdkafka 2.2 see Consumer::refill().
  if (property_mistake("fetch.queue.backoff.ms", "10").empty())
    ours["fetch.queue.backoff.ms"] = "10";
  return merged(std::move(ours), s.client.properties);
}

Properties effective(const ProducerSettings& s) {
  Properties ours = common(s.client);
  ours["enable.idempotence"] = "true";
  ours["acks"] = "all";
  ours["linger.ms"] = std::to_string(s.linger_ms);
  // While two requests are on their way what comes collects into the next: full batches under load
  // without a wait when there is none.
  ours["max.in.flight"] = "2";
  ours["message.max.bytes"] =
      std::to_string(std::max<std::size_t>(s.message_bytes_max + 4096, 1'000'000));
  if (s.transactional_id.empty())
    ours["message.timeout.ms"] = "0";  // a broker that is away is waited for; a full queue pauses
  ours["queue.buffering.max.kbytes"] =
      std::to_string(std::max<std::size_t>(s.queue_bytes_max >> 10, 1024));
  ours["queue.buffering.max.messages"] =
      std::to_string(std::max<std::size_t>(s.queue_bytes_max / kBytesBesideMessage, 1000));
  ours["partitioner"] = "murmur2_random";  // as Kafka's own producer
  if (!s.transactional_id.empty()) ours["transactional.id"] = s.transactional_id;
  return merged(std::move(ours), s.client.properties);
}

Properties marker_properties(const ProducerSettings& s) {
  Properties out = common(s.client);
  for (const auto& [name, value] : s.client.properties)  // how to reach and trust the brokers
    if (name.starts_with("security.") || name.starts_with("sasl.") || name.starts_with("ssl.") ||
        name.starts_with("socket.") || name.starts_with("broker."))
      out[name] = value;
  out["group.id"] = s.transactional_id;
  out["isolation.level"] = "read_committed";
  return out;
}

std::vector<std::string> mistakes_in(const ConsumerSettings& settings) {
  return mistakes_of(effective(settings), settings.client.properties);
}

std::vector<std::string> mistakes_in(const ProducerSettings& settings) {
  return mistakes_of(effective(settings), settings.client.properties);
}

}  // namespace machida::kafka
