// One member of a consumer group, on one topic; or, with assign(), a reader of partitions that the
// owner chooses. Everything is called on the owner's thread but
// `wake`, which comes from librdkafka's: it only asks the owner to call serve() and take() soon.
//
// Messages don't come through the group's own queue: each assigned partition is forwarded to a
// queue of ours, so that a paused owner still serves the group, and messages are taken in batches.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "server/kafka/client.h"
#include "server/kafka/message_batch.h"
#include "server/kafka/partitions.h"
#include "server/kafka/settings.h"

struct rd_kafka_s;
struct rd_kafka_topic_partition_list_s;

namespace machida::kafka {

class ConsumerEvents {
 public:
  virtual ~ConsumerEvents() = default;
  // These partitions are the owner's now.
  virtual void on_assigned(const std::vector<std::int32_t>& partitions) = 0;
  // All partitions go. The owner answers with Consumer::give_up(), at once or later; until then
  // the group waits. `lost`: they are somebody else's already.
  virtual void on_revoked(bool lost) = 0;
  // A commit has ended; "" is success.
  virtual void on_committed(const std::string& error) = 0;
  // Something is wrong outside; librdkafka goes on by itself.
  virtual void on_trouble(Trouble kind, const std::string& what) = 0;
};

class Consumer {
 public:
  // Throws KafkaError when the client can't be made.
  Consumer(const ConsumerSettings& settings, ConsumerEvents& events, std::function<void()> wake);
  // Leaves the group and waits for librdkafka's threads: can take seconds, so destroy it off the
  // loop. No event is reported any more.
  ~Consumer();

  // Joins the group.
  void subscribe();
  // Reads these partitions from these offsets on, and no others; the group is not joined. What was
  // prefetched is fetched again.
  void assign(const Positions& positions);
  // find_partitions() for this topic, to be called off the loop; keeps the client alive.
  using PartitionSearch = std::function<PartitionsFound(const Positions& known, bool check_known)>;
  PartitionSearch partition_search() const;
  // Reports events. Call after each wake, and every few seconds: the group expects signs of life.
  void serve();
  // Replaces `batch` by up to `messages_max` messages that have arrived; 0: none.
  std::size_t take(MessageBatch& batch, std::size_t messages_max);
  // What to run off the loop when take() has emptied half of a queue that may have been full, and
  // nothing otherwise. Before version 2.2 librdkafka looks for room in a full queue only once a
  // second, unless a broker sends something: this asks the brokers for something.
  std::function<void()> refill();

  // Asynchronously; ends in on_committed.
  void commit(const Positions& positions);
  // The answer to on_revoked.
  void give_up();

  // Detaches the owner: nothing is reported any more. Before the consumer is destroyed elsewhere.
  void silence() noexcept;

 private:
  struct Parts;
  friend struct Callbacks;
  void rebalance(int error, rd_kafka_topic_partition_list_s* partitions);

  std::unique_ptr<Parts> parts_;
};

}  // namespace machida::kafka
