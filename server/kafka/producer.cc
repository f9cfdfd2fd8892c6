#include "server/kafka/producer.h"

#include <exception>

#include "server/kafka/client.h"
#include "server/kafka/handles.h"

namespace machida::kafka {

using TopicPtr = CPtr<rd_kafka_topic_t, rd_kafka_topic_destroy>;

namespace {

bool is_refused(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct Producer::Parts {
  ProducerEvents* events;  // null: silenced
  ClientPtr client;
  TopicPtr topic;
  std::unique_ptr<ReadySignal> ready;

  void report(rd_kafka_event_t* event);
  void report_deliveries(rd_kafka_event_t* event);
  void report_delivery(const rd_kafka_message_t& message);
  void report_error(rd_kafka_event_t* event);
  Fate::Kind fate_kind(rd_kafka_resp_err_t error) const;
};

Producer::Producer(const ProducerSettings& settings, ProducerEvents& events,
                   std::function<void()> wake)
    : parts_(std::make_unique<Parts>()) {
  parts_->events = &events;
  ConfPtr conf = make_conf(effective(settings));
  rd_kafka_conf_set_events(conf.get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  parts_->client = make_client(RD_KAFKA_PRODUCER, std::move(conf));
  rd_kafka_t* client = parts_->client.get();
  parts_->topic.reset(rd_kafka_topic_new(client, settings.topic.c_str(), nullptr));
  if (!parts_->topic) throw KafkaError(rd_kafka_err2str(rd_kafka_last_error()));
  parts_->ready =
      std::make_unique<ReadySignal>(QueuePtr(rd_kafka_queue_get_main(client)), std::move(wake));
}

Producer::~Producer() {
  silence();
  rd_kafka_purge(parts_->client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  serve();
}

void Producer::silence() noexcept {
  parts_->events = nullptr;
  parts_->ready->disable();
}

rd_kafka_t* Producer::client() const noexcept { return parts_->client.get(); }

Sent Producer::send(const OutMessage& message, std::uint64_t tag, std::string& why) {
  const int result = rd_kafka_produce(
      parts_->topic.get(), message.partition.value_or(RD_KAFKA_PARTITION_UA), RD_KAFKA_MSG_F_COPY,
      const_cast<char*>(message.value.data()), message.value.size(),
      message.key ? message.key->data() : nullptr, message.key ? message.key->size() : 0,
      reinterpret_cast<void*>(static_cast<std::uintptr_t>(tag)));
  if (result == 0) return Sent::kYes;
  const rd_kafka_resp_err_t error = rd_kafka_last_error();
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return Sent::kQueueFull;
  why = rd_kafka_err2str(error);
  return is_refused(error) ? Sent::kRefused : Sent::kNotNow;
}

void Producer::serve() {
  while (true) {
    const EventPtr event(rd_kafka_queue_poll(parts_->ready->queue(), 0));
    if (!event) return;
    parts_->report(event.get());
  }
}

void Producer::Parts::report(rd_kafka_event_t* event) {
  if (!events) return;
  if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
    report_deliveries(event);
  } else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
    report_error(event);
  }
}

// One refused message may end the run; the fates of those behind it are told all the same.
void Producer::Parts::report_deliveries(rd_kafka_event_t* event) {
  std::exception_ptr first;
  while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
    try {
      report_delivery(*message);
    } catch (...) {
      if (!first) first = std::current_exception();
    }
  }
  if (first) std::rethrow_exception(first);
}

void Producer::Parts::report_delivery(const rd_kafka_message_t& message) {
  OutMessage out;
  out.value = {static_cast<const char*>(message.payload), message.len};
  if (message.key) out.key = {static_cast<const char*>(message.key), message.key_len};
  if (message.partition >= 0) out.partition = message.partition;
  const Fate::Kind kind = fate_kind(message.err);
  const Fate fate{kind, kind == Fate::Kind::kDelivered ? "" : rd_kafka_err2str(message.err)};
  events->on_delivered(reinterpret_cast<std::uintptr_t>(message._private), out, fate);
}

void Producer::Parts::report_error(rd_kafka_event_t* event) {
  const rd_kafka_resp_err_t error = rd_kafka_event_error(event);
  char why[512] = "";
  if (rd_kafka_fatal_error(client.get(), why, sizeof why) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    // librdkafka has done so itself, but may have missed what was sent at the same time.
    rd_kafka_purge(client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                     RD_KAFKA_PURGE_F_NON_BLOCKING);
    return events->on_fatal(why);
  }
  const char* text = rd_kafka_event_error_string(event);
  events->on_trouble(
      kind_of_error(error),
      std::string(rd_kafka_err2str(error)) + (text && *text ? std::string(" (") + text + ")" : ""));
}

// Also librdkafka's own errors, for what it had in its queues, when the producer has failed.
Fate::Kind Producer::Parts::fate_kind(rd_kafka_resp_err_t error) const {
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return Fate::Kind::kDelivered;
  if (is_refused(error)) return Fate::Kind::kRefused;
  const bool purged =
      error == RD_KAFKA_RESP_ERR__PURGE_QUEUE || error == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
  if (purged || rd_kafka_fatal_error(client.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Fate::Kind::kReturned;
  return Fate::Kind::kFailed;
}

std::string Producer::probe(int timeout_ms) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const rd_kafka_resp_err_t error =
      rd_kafka_metadata(parts_->client.get(), 0, parts_->topic.get(), &metadata, timeout_ms);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return rd_kafka_err2str(error);
  rd_kafka_metadata_destroy(metadata);
  return "";
}

}  // namespace machida::kafka
