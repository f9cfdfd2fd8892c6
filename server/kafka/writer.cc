#include "server/kafka/writer.h"

#include <utility>

#include "server/kafka/handles.h"

namespace machida::kafka {

struct Writer::Parts {
  std::string topic;
  std::string refused;  // why the first message that failed did
  ClientPtr client;

  static void on_delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
    Parts& parts = *static_cast<Parts*>(self);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && parts.refused.empty())
      parts.refused = rd_kafka_err2str(message->err);
  }
};

Writer::Writer(const Properties& theirs, std::string topic) : parts_(std::make_unique<Parts>()) {
  parts_->topic = std::move(topic);
  Properties properties{
      {"client.id", "machida"},
      {"enable.idempotence", "true"},
      {"acks", "all"},
      {"linger.ms", "0"},
      {"partitioner", "murmur2_random"},  // as Kafka's own producer
      {"reconnect.backoff.max.ms", "2000"},
      {"socket.nagle.disable", "true"},
      {"log_level", "4"},
  };
  for (const auto& [name, value] : theirs) properties[name] = value;
  ConfPtr conf = make_conf(properties);
  rd_kafka_conf_set_opaque(conf.get(), parts_.get());
  rd_kafka_conf_set_dr_msg_cb(conf.get(), Parts::on_delivered);
  parts_->client = make_client(RD_KAFKA_PRODUCER, std::move(conf));
}

Writer::~Writer() {
  rd_kafka_purge(parts_->client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

bool Writer::send(const std::optional<std::string_view>& key,
                  const std::optional<std::string_view>& value,
                  std::optional<std::int32_t> partition) {
  const auto data = [](const std::optional<std::string_view>& bytes) {
    return bytes ? const_cast<char*>(bytes->data()) : nullptr;
  };
  const auto size = [](const std::optional<std::string_view>& bytes) {
    return bytes ? bytes->size() : 0;
  };
  const rd_kafka_resp_err_t error = rd_kafka_producev(
      parts_->client.get(), RD_KAFKA_V_TOPIC(parts_->topic.c_str()),
      RD_KAFKA_V_PARTITION(partition.value_or(RD_KAFKA_PARTITION_UA)),
      RD_KAFKA_V_KEY(data(key), size(key)), RD_KAFKA_V_VALUE(data(value), size(value)),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
  throw KafkaError(rd_kafka_err2str(error));
}

bool Writer::wait_for(int timeout_ms) {
  rd_kafka_flush(parts_->client.get(), timeout_ms);
  if (!parts_->refused.empty()) throw KafkaError(std::exchange(parts_->refused, ""));
  return rd_kafka_outq_len(parts_->client.get()) == 0;
}

}  // namespace machida::kafka
