// An idempotent producer on one topic. Everything is called on the owner's thread but `wake`, which
// comes from librdkafka's: it only asks the owner to call serve() soon.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/kafka/client.h"
#include "server/kafka/settings.h"

struct rd_kafka_s;

namespace machida::kafka {

struct OutMessage {
  std::string_view value;
  std::optional<std::string_view> key;
  std::optional<std::int32_t> partition;  // nothing: by the key, or any
};

// What became of a message.
struct Fate {
  enum class Kind {
    kDelivered,
    kRefused,   // the brokers will never take this one
    kReturned,  // the producer has failed, or its transaction: the message itself is fine
    kFailed,
  };
  Kind kind = Kind::kDelivered;
  std::string error;
};

class ProducerEvents {
 public:
  virtual ~ProducerEvents() = default;
  // The fate of a message. `tag` is send()'s.
  virtual void on_delivered(std::uint64_t tag, const OutMessage& message, const Fate& fate) = 0;
  // Something is wrong outside; librdkafka goes on by itself.
  virtual void on_trouble(Trouble kind, const std::string& what) = 0;
  // The producer is of no use any more. What it had not delivered comes back as kReturned, in any
  // order. May be said more than once.
  virtual void on_fatal(const std::string& what) = 0;
};

enum class Sent {
  kYes,
  kQueueFull,
  kRefused,  // this message will never be taken
  kNotNow,   // the producer has failed, or its transaction
};

class Producer {
 public:
  // Throws KafkaError when the client can't be made.
  Producer(const ProducerSettings& settings, ProducerEvents& events, std::function<void()> wake);
  // Drops what is not delivered and waits for librdkafka's threads: destroy it off the loop.
  ~Producer();

  // Copies the message into librdkafka's queue. kRefused and kNotNow: `why` says it.
  Sent send(const OutMessage& message, std::uint64_t tag, std::string& why);

  // Reports events. Call after each wake.
  void serve();

  // Asks the brokers for the topic; "" when they answered. Blocks: call it off the loop.
  std::string probe(int timeout_ms);

  // For Transactions.
  rd_kafka_s* client() const noexcept;

  // Detaches the owner: nothing is reported any more. Before the producer is destroyed elsewhere.
  void silence() noexcept;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace machida::kafka
