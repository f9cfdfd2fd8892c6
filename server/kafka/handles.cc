#include "server/kafka/handles.h"

#include <string_view>

#include "server/base/log.h"
#include "server/kafka/client.h"

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

ConfPtr make_conf(const Properties& properties) {
  ConfPtr conf(rd_kafka_conf_new());
  rd_kafka_conf_set_log_cb(conf.get(), on_log);
  for (const auto& [name, value] : properties) {
    char why[512] = "";
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why, sizeof why) !=
        RD_KAFKA_CONF_OK)
      throw KafkaError("property " + name + ": " + why);
  }
  return conf;
}

ClientPtr make_client(rd_kafka_type_t type, ConfPtr conf) {
  char why[512] = "";
  ClientPtr client(rd_kafka_new(type, conf.get(), why, sizeof why));
  if (!client) throw KafkaError(why);
  (void)conf.release();  // the client's, now that it exists
  return client;
}

}  // namespace machida::kafka
