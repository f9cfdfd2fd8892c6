// Reads one partition of a topic, from an offset on, without a group: for sources that are written
// in Python and keep their offsets themselves. One thread at a time. Making and destroying one, and
// the free functions, block: not for the loop of a server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "server/kafka/client.h"
#include "server/kafka/message_batch.h"
#include "server/kafka/settings.h"

namespace machida::kafka {

class Reader {
 public:
  // `properties`: librdkafka's, with those that a reader of its own offsets needs beneath them.
  // `offset`: of the first message, or librdkafka's word for the beginning (-2) or the end (-1).
  // Throws KafkaError when the client can't be made, or the end is asked for and not to be learnt.
  Reader(const Properties& properties, const std::string& topic, std::int32_t partition,
         std::int64_t offset, int timeout_ms);
  ~Reader();

  // Where the first message comes from: `offset`, or where the end was.
  std::int64_t start() const noexcept;
  // Replaces `batch` by up to `messages_max` messages, errors and ends that have arrived; 0: none.
  std::size_t take(MessageBatch& batch, std::size_t messages_max);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// How many partitions a topic has. Throws KafkaError with librdkafka's text.
std::int32_t partition_count(const Properties& properties, const std::string& topic,
                             int timeout_ms);

}  // namespace machida::kafka
