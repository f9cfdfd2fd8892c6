#include "server/kafka/consumer.h"

#include <algorithm>
#include <utility>

#include "server/base/log.h"
#include "server/kafka/client.h"
#include "server/kafka/handles.h"

namespace machida::kafka {

namespace {

constexpr int kRefillTimeoutMs = 1000;
constexpr int kSearchTimeoutMs = 5000;
constexpr std::size_t kFullMessagesMin = 16;  // fewer are no backlog

}  // namespace

struct Consumer::Parts {
  std::string topic, start;
  ConsumerEvents* events;  // null: silenced
  std::shared_ptr<rd_kafka_t> client;
  std::vector<std::int32_t> assigned;
  bool refills_itself = false;
  std::size_t queued_max = 0;             // messages in the queue since the last refill
  std::unique_ptr<ReadySignal> group;     // rebalances, errors, commits
  std::unique_ptr<ReadySignal> messages;  // of all assigned partitions

  void forward(const rd_kafka_topic_partition_list_t& partitions);
};

struct Callbacks {
  static void on_rebalance(rd_kafka_t*, rd_kafka_resp_err_t error,
                           rd_kafka_topic_partition_list_t* partitions, void* self) {
    static_cast<Consumer*>(self)->rebalance(error, partitions);
  }

  static void on_commit(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t*,
                        void* self) {
    ConsumerEvents* events = static_cast<Consumer*>(self)->parts_->events;
    if (!events) return;
    const bool fine = error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR__NO_OFFSET;
    events->on_committed(fine ? "" : rd_kafka_err2str(error));
  }

  static void on_error(rd_kafka_t*, int error, const char* reason, void* self) {
    if (ConsumerEvents* events = static_cast<Consumer*>(self)->parts_->events)
      events->on_trouble(kind_of_error(error),
                         std::string(rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(error))) +
                             (*reason ? std::string(" (") + reason + ")" : ""));
  }
};

Consumer::Consumer(const ConsumerSettings& settings, ConsumerEvents& events,
                   std::function<void()> wake)
    : parts_(std::make_unique<Parts>()) {
  parts_->topic = settings.topic;
  parts_->start = settings.start;
  parts_->events = &events;
  const Properties properties = effective(settings);
  ConfPtr conf = make_conf(properties);
  parts_->refills_itself = properties.contains("fetch.queue.backoff.ms");
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_rebalance_cb(conf.get(), Callbacks::on_rebalance);
  rd_kafka_conf_set_offset_commit_cb(conf.get(), Callbacks::on_commit);
  rd_kafka_conf_set_error_cb(conf.get(), Callbacks::on_error);
  parts_->client = make_client(RD_KAFKA_CONSUMER, std::move(conf));
  rd_kafka_t* client = parts_->client.get();
  rd_kafka_poll_set_consumer(client);
  parts_->group =
      std::make_unique<ReadySignal>(QueuePtr(rd_kafka_queue_get_consumer(client)), wake);
  parts_->messages = std::make_unique<ReadySignal>(QueuePtr(rd_kafka_queue_new(client)), wake);
}

Consumer::~Consumer() {
  silence();
  parts_->messages.reset();
  parts_->group.reset();
  rd_kafka_consumer_close(parts_->client.get());
}

void Consumer::silence() noexcept {
  parts_->events = nullptr;
  parts_->group->disable();
  parts_->messages->disable();
}

void Consumer::subscribe() {
  const PartitionsPtr topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), parts_->topic.c_str(), RD_KAFKA_PARTITION_UA);
  const rd_kafka_resp_err_t error = rd_kafka_subscribe(parts_->client.get(), topics.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw KafkaError(rd_kafka_err2str(error));
}

void Consumer::assign(const Positions& positions) {
  const PartitionsPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const auto& [partition, offset] : positions)
    rd_kafka_topic_partition_list_add(list.get(), parts_->topic.c_str(), partition)->offset =
        offset;
  parts_->forward(*list);
  const rd_kafka_resp_err_t error = rd_kafka_assign(parts_->client.get(), list.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw KafkaError(rd_kafka_err2str(error));
}

Consumer::PartitionSearch Consumer::partition_search() const {
  return [client = parts_->client, topic = parts_->topic, start = parts_->start](
             const Positions& known, bool check_known) {
    return find_partitions(client.get(), topic, start, known, check_known, kSearchTimeoutMs);
  };
}

// Their messages come to our queue.
void Consumer::Parts::forward(const rd_kafka_topic_partition_list_t& partitions) {
  assigned.clear();
  for (int i = 0; i < partitions.cnt; ++i) {
    const rd_kafka_topic_partition_t& partition = partitions.elems[i];
    assigned.push_back(partition.partition);
    const QueuePtr queue(
        rd_kafka_queue_get_partition(client.get(), partition.topic, partition.partition));
    if (queue) rd_kafka_queue_forward(queue.get(), messages->queue());
  }
}

void Consumer::serve() {
  while (rd_kafka_message_t* message = rd_kafka_consumer_poll(parts_->client.get(), 0)) {
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && parts_->events)
      parts_->events->on_trouble(kind_of_error(message->err), rd_kafka_message_errstr(message));
    rd_kafka_message_destroy(message);
  }
}

std::size_t Consumer::take(MessageBatch& batch, std::size_t messages_max) {
  batch.clear();
  batch.messages_.resize(messages_max);
  const ssize_t taken = rd_kafka_consume_batch_queue(parts_->messages->queue(), 0,
                                                     batch.messages_.data(), messages_max);
  batch.messages_.resize(taken > 0 ? static_cast<std::size_t>(taken) : 0);
  return batch.size();
}

std::function<void()> Consumer::refill() {
  if (parts_->refills_itself) return nullptr;
  const std::size_t queued = rd_kafka_queue_length(parts_->messages->queue());
  const std::size_t queued_max =
      std::exchange(parts_->queued_max, std::max(parts_->queued_max, queued));
  if (queued_max < kFullMessagesMin || queued > queued_max / 2) return nullptr;
  parts_->queued_max = queued;
  const auto partitions = std::make_shared<PartitionsPtr>(
      rd_kafka_topic_partition_list_new(static_cast<int>(parts_->assigned.size())));
  for (const std::int32_t partition : parts_->assigned)
    rd_kafka_topic_partition_list_add(partitions->get(), parts_->topic.c_str(), partition)->offset =
        RD_KAFKA_OFFSET_END;
  return [client = parts_->client, partitions] {
    rd_kafka_offsets_for_times(client.get(), partitions->get(), kRefillTimeoutMs);
  };
}

void Consumer::commit(const Positions& positions) {
  const PartitionsPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const auto& [partition, offset] : positions)
    rd_kafka_topic_partition_list_add(list.get(), parts_->topic.c_str(), partition)->offset =
        offset;
  const rd_kafka_resp_err_t error = rd_kafka_commit(parts_->client.get(), list.get(), 1);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR && parts_->events)
    parts_->events->on_committed(rd_kafka_err2str(error));
}

void Consumer::give_up() { rd_kafka_assign(parts_->client.get(), nullptr); }

void Consumer::rebalance(int error, rd_kafka_topic_partition_list_t* partitions) {
  rd_kafka_t* client = parts_->client.get();
  if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && parts_->events) {
    parts_->forward(*partitions);
    rd_kafka_assign(client, partitions);
    parts_->events->on_assigned(parts_->assigned);
  } else if (error == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS && parts_->events) {
    parts_->events->on_revoked(rd_kafka_assignment_lost(client) != 0);
  } else {
    rd_kafka_assign(client, nullptr);
  }
}

}  // namespace machida::kafka
