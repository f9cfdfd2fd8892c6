#include "server/kafka/client.h"

#include <string_view>

#include "server/base/log.h"
#include "server/kafka/handles.h"

namespace machida::kafka {
namespace {

// librdkafka tells every failed connection attempt; the source or sink says it once.
bool is_reconnect_chatter(std::string_view facility) {
  return facility == "FAIL" || facility == "ERROR" || facility == "FETCHERR";
}

void on_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
  log::Level ours = log::Level::kDebug;
  if (level <= 3)
    ours = log::Level::kError;
  else if (level <= 4)
    ours = log::Level::kWarn;
  else if (level <= 6)
    ours = log::Level::kInfo;
  if (is_reconnect_chatter(facility)) ours = log::Level::kDebug;
  log::write(ours, "librdkafka {}: {}", facility, text);
}

}  // namespace

Trouble kind_of_error(int librdkafka_error) {
  switch (librdkafka_error) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
    case RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS:
      return Trouble::kBrokers;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return Trouble::kTopic;
    default:
      return Trouble::kOther;
  }
}

std::string property_mistake(const std::string& name, const std::string& value) {
  const ConfPtr conf(rd_kafka_conf_new());
  char why[512] = "";
  if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why, sizeof why) ==
      RD_KAFKA_CONF_OK)
    return "";
  return why;
}

ClientPtr make_client(rd_kafka_type_t type, ConfPtr conf) {
  char why[512] = "";
  ClientPtr client(rd_kafka_new(type, conf.get(), why, sizeof why));
  if (!client) throw KafkaError(why);
  (void)conf.release();  // the client's, now that it exists
  return client;
}

void configure(rd_kafka_conf_t* conf, const Properties& properties) {
  rd_kafka_conf_set_log_cb(conf, on_log);
  for (const auto& [name, value] : properties) {
    char why[512] = "";
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK)
      throw KafkaError("property " + name + ": " + why);
  }
}

}  // namespace machida::kafka
