#include "server/kafka/reader.h"

#include "server/kafka/handles.h"
#include "server/kafka/partitions.h"

namespace machida::kafka {
namespace {

ClientPtr make_reader(const Properties& theirs) {
  Properties properties{
      {"client.id", "machida"},
      {"group.id", "BYTEWAX_IGNORED"},  // must be set, and is not used
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"auto.offset.reset", "error"},  // messages that are gone are no reason to skip others
      {"queued.max.messages.kbytes", "16384"},
      {"reconnect.backoff.max.ms", "2000"},
      {"socket.nagle.disable", "true"},
      {"log_level", "4"},
  };
  for (const auto& [name, value] : theirs) properties[name] = value;
  ClientPtr client = make_client(RD_KAFKA_CONSUMER, make_conf(properties));
  rd_kafka_poll_set_consumer(client.get());
  return client;
}

std::int64_t end_of(rd_kafka_t* client, const std::string& topic, std::int32_t partition,
                    int timeout_ms) {
  std::int64_t low = 0, high = 0;
  const rd_kafka_resp_err_t error =
      rd_kafka_query_watermark_offsets(client, topic.c_str(), partition, &low, &high, timeout_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw KafkaError(rd_kafka_err2str(error));
  return high;
}

}  // namespace

// Ends in the opposite order: messages, queue, client.
struct Reader::Parts {
  ClientPtr client;
  QueuePtr messages;
  std::int64_t start;
};

Reader::Reader(const Properties& properties, const std::string& topic, std::int32_t partition,
               std::int64_t offset, int timeout_ms)
    : parts_(std::make_unique<Parts>()) {
  parts_->client = make_reader(properties);
  rd_kafka_t* client = parts_->client.get();
  parts_->start =
      offset == RD_KAFKA_OFFSET_END ? end_of(client, topic, partition, timeout_ms) : offset;
  const PartitionsPtr list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = parts_->start;
  parts_->messages = QueuePtr(rd_kafka_queue_get_consumer(client));
  const rd_kafka_resp_err_t error = rd_kafka_assign(client, list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw KafkaError(rd_kafka_err2str(error));
}

Reader::~Reader() {
  parts_->messages.reset();
  rd_kafka_consumer_close(parts_->client.get());
}

std::int64_t Reader::start() const noexcept { return parts_->start; }

std::size_t Reader::take(MessageBatch& batch, std::size_t messages_max) {
  batch.clear();
  batch.messages_.resize(messages_max);
  const ssize_t taken =
      rd_kafka_consume_batch_queue(parts_->messages.get(), 0, batch.messages_.data(), messages_max);
  batch.messages_.resize(taken > 0 ? static_cast<std::size_t>(taken) : 0);
  return batch.size();
}

std::int32_t partition_count(const Properties& properties, const std::string& topic,
                             int timeout_ms) {
  const ClientPtr client = make_reader(properties);
  std::int32_t partitions = 0;
  const int error = count_partitions(client.get(), topic, timeout_ms, partitions);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw KafkaError(rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(error)));
  return partitions;
}

}  // namespace machida::kafka
