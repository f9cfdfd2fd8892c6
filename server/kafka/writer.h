// Writes messages to a topic and waits until the brokers have them: for sinks that are written in
// Python. One thread at a time. Everything blocks: not for the loop of a server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/kafka/client.h"
#include "server/kafka/settings.h"

namespace machida::kafka {

class Writer {
 public:
  // `properties`: librdkafka's, with ours for an idempotent producer beneath them.
  // Throws KafkaError when the client can't be made.
  Writer(const Properties& properties, std::string topic);
  // Drops what is not delivered.
  ~Writer();

  // Copies a message into the queue. False: the queue is full, so wait_for() first. Without a
  // partition the key chooses it. Throws KafkaError for a message that can't be sent.
  bool send(const std::optional<std::string_view>& key,
            const std::optional<std::string_view>& value,
            std::optional<std::int32_t> partition = std::nullopt);
  // Waits up to `timeout_ms` for messages to be delivered; true when all are. Throws KafkaError
  // when one was refused.
  bool wait_for(int timeout_ms);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace machida::kafka
