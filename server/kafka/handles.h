// Owners of librdkafka's objects. Order of the end: messages, signals, queues, close, client.
#pragma once

#include <librdkafka/rdkafka.h>

#include <functional>
#include <stdexcept>
#include <string>

#include "server/base/handle.h"
#include "server/kafka/settings.h"

namespace machida::kafka {

using ConfPtr = CPtr<rd_kafka_conf_t, rd_kafka_conf_destroy>;
using ClientPtr = CPtr<rd_kafka_t, rd_kafka_destroy>;  // waits for librdkafka's threads
using QueuePtr = CPtr<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using EventPtr = CPtr<rd_kafka_event_t, rd_kafka_event_destroy>;
using PartitionsPtr = CPtr<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;

// A configuration with these properties, whose clients log into our log, from any thread. Throws
// KafkaError (client.h) when a property is refused.
ConfPtr make_conf(const Properties& properties);
// A consumer or producer as `conf` says. Throws KafkaError when librdkafka refuses.
ClientPtr make_client(rd_kafka_type_t type, ConfPtr conf);

// Calls `wake` when the queue turns from empty to non-empty: from one of librdkafka's threads and
// under the queue's lock, so `wake` only posts and calls nothing of librdkafka.
class ReadySignal {
 public:
  ReadySignal(QueuePtr queue, std::function<void()> wake)
      : wake_(std::move(wake)), queue_(std::move(queue)) {
    rd_kafka_queue_cb_event_enable(
        queue_.get(), [](rd_kafka_t*, void* self) { static_cast<ReadySignal*>(self)->wake_(); },
        this);
    wake_();  // what came before: a queue that is not empty never turns so
  }
  ~ReadySignal() { disable(); }
  // `wake` is not called any more.
  void disable() noexcept { rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr); }
  ReadySignal(const ReadySignal&) = delete;
  ReadySignal& operator=(const ReadySignal&) = delete;

  rd_kafka_queue_t* queue() const noexcept { return queue_.get(); }

 private:
  std::function<void()> wake_;
  QueuePtr queue_;
};

}  // namespace machida::kafka
