#include "server/kafka/client.h"

#include "server/kafka/handles.h"

namespace machida::kafka {

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

}  // namespace machida::kafka
