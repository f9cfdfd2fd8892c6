// Messages as a consumer took them, in the order of each partition. Their bytes live here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct rd_kafka_message_s;

namespace machida::kafka {

using Header = std::pair<std::string, std::optional<std::string>>;

class MessageBatch {
 public:
  MessageBatch() = default;
  ~MessageBatch() { clear(); }
  MessageBatch(const MessageBatch&) = delete;
  MessageBatch& operator=(const MessageBatch&) = delete;

  std::size_t size() const noexcept { return messages_.size(); }
  void clear() noexcept;

  std::string error(std::size_t i) const;  // in place of a message; "" for a message
  // No error and no message: the end of a partition.
  bool is_end(std::size_t i) const;
  // The error is that the brokers are out of reach: librdkafka goes on trying.
  bool is_passing(std::size_t i) const;
  // The error says that there is no offset to start from, and that none may be chosen.
  bool lacks_offset(std::size_t i) const;
  std::optional<std::string_view> value(std::size_t i) const;  // nothing: a tombstone
  std::optional<std::string_view> key(std::size_t i) const;
  std::int32_t partition(std::size_t i) const;
  std::int64_t offset(std::size_t i) const;
  std::optional<std::int64_t> timestamp_ms(std::size_t i) const;
  std::vector<Header> headers(std::size_t i) const;

 private:
  friend class Consumer;
  friend class Reader;
  std::vector<rd_kafka_message_s*> messages_;
};

}  // namespace machida::kafka
