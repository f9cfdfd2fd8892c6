#include "server/kafka/message_batch.h"

#include "server/kafka/client.h"
#include "server/kafka/handles.h"

namespace machida::kafka {
namespace {

std::optional<std::string_view> view(const void* data, std::size_t size) {
  if (!data) return std::nullopt;
  return std::string_view(static_cast<const char*>(data), size);
}

}  // namespace

void MessageBatch::clear() noexcept {
  for (rd_kafka_message_t* message : messages_) rd_kafka_message_destroy(message);
  messages_.clear();
}

std::string MessageBatch::error(std::size_t i) const {
  const rd_kafka_message_t& m = *messages_[i];
  if (m.err == RD_KAFKA_RESP_ERR_NO_ERROR) return "";
  const char* text = rd_kafka_message_errstr(&m);
  return text && *text ? text : rd_kafka_err2str(m.err);
}

bool MessageBatch::is_end(std::size_t i) const {
  return messages_[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
}

bool MessageBatch::is_passing(std::size_t i) const {
  return messages_[i]->err != RD_KAFKA_RESP_ERR_NO_ERROR &&
         kind_of_error(messages_[i]->err) == Trouble::kBrokers;
}

bool MessageBatch::lacks_offset(std::size_t i) const {
  return messages_[i]->err == RD_KAFKA_RESP_ERR__NO_OFFSET ||
         messages_[i]->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET;
}

std::optional<std::string_view> MessageBatch::value(std::size_t i) const {
  return view(messages_[i]->payload, messages_[i]->len);
}

std::optional<std::string_view> MessageBatch::key(std::size_t i) const {
  return view(messages_[i]->key, messages_[i]->key_len);
}

std::int32_t MessageBatch::partition(std::size_t i) const { return messages_[i]->partition; }

std::int64_t MessageBatch::offset(std::size_t i) const { return messages_[i]->offset; }

std::optional<std::int64_t> MessageBatch::timestamp_ms(std::size_t i) const {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const std::int64_t at = rd_kafka_message_timestamp(messages_[i], &type);
  if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) return std::nullopt;
  return at;
}

std::vector<Header> MessageBatch::headers(std::size_t i) const {
  std::vector<Header> out;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(messages_[i], &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return out;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t at = 0;
       rd_kafka_header_get_all(headers, at, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++at) {
    const std::optional<std::string_view> bytes = view(value, size);
    out.emplace_back(name, bytes ? std::optional<std::string>(*bytes) : std::nullopt);
  }
  return out;
}

}  // namespace machida::kafka
