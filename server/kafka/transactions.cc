#include "server/kafka/transactions.h"

#include <string.h>

#include "server/base/crash_point.h"
#include "server/kafka/client.h"
#include "server/kafka/handles.h"

namespace machida::kafka {
namespace {

using ErrorPtr = CPtr<rd_kafka_error_t, rd_kafka_error_destroy>;
using GroupPtr = CPtr<rd_kafka_consumer_group_metadata_t, rd_kafka_consumer_group_metadata_destroy>;
constexpr std::int32_t kMarkedPartition = 0;

Ended ended(ErrorPtr error) {
  if (!error) return {};
  Ended out{Outcome::kFatal, rd_kafka_error_string(error.get())};
  if (rd_kafka_error_is_fatal(error.get())) return out;
  if (rd_kafka_error_txn_requires_abort(error.get()))
    out.outcome = Outcome::kAbort;
  else if (rd_kafka_error_is_retriable(error.get()) ||
           rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR__TIMED_OUT)
    out.outcome = Outcome::kRetry;
  return out;
}

}  // namespace

Transactions::Transactions(std::shared_ptr<Producer> producer, ProducerSettings settings)
    : producer_(std::move(producer)), settings_(std::move(settings)) {}

Ended Transactions::init(int timeout_ms) {
  return ended(ErrorPtr(rd_kafka_init_transactions(producer_->client(), timeout_ms)));
}

Ended Transactions::begin() {
  offsets_sent_ = false;
  return ended(ErrorPtr(rd_kafka_begin_transaction(producer_->client())));
}

Ended Transactions::commit(std::int64_t epoch, int timeout_ms) {
  if (!offsets_sent_) {
    const Ended sent = send_epoch(epoch, timeout_ms);
    if (sent.outcome != Outcome::kDone) return sent;
    offsets_sent_ = true;
  }
  crash_at(CrashPoint::kTransactionBefore);
  const Ended out = ended(ErrorPtr(rd_kafka_commit_transaction(producer_->client(), timeout_ms)));
  if (out.outcome == Outcome::kDone) crash_at(CrashPoint::kTransactionAfter);
  return out;
}

std::string Transactions::unreadable(int librdkafka_error) const {
  const auto error = static_cast<rd_kafka_resp_err_t>(librdkafka_error);
  std::string why =
      std::string("which epoch is committed can't be read: ") + rd_kafka_err2str(error);
  // The brokers answer at once, but only with offsets that no transaction can change any more.
  if (error == RD_KAFKA_RESP_ERR__TIMED_OUT || error == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT)
    why += "; a transaction with offsets of group '" + settings_.transactional_id +
           "' has not ended (one that never ends is found and aborted with kafka-transactions.sh)";
  return why;
}

Ended Transactions::send_epoch(std::int64_t epoch, int timeout_ms) {
  const PartitionsPtr offsets(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_t* marked =
      rd_kafka_topic_partition_list_add(offsets.get(), settings_.topic.c_str(), kMarkedPartition);
  marked->offset = epoch;
  const std::string metadata = "epoch=" + std::to_string(epoch);
  marked->metadata = strdup(metadata.c_str());  // freed with the list
  marked->metadata_size = metadata.size();
  const GroupPtr group(rd_kafka_consumer_group_metadata_new(settings_.transactional_id.c_str()));
  crash_at(CrashPoint::kOffsetsBefore);
  Ended sent = ended(ErrorPtr(rd_kafka_send_offsets_to_transaction(
      producer_->client(), offsets.get(), group.get(), timeout_ms)));
  if (sent.outcome == Outcome::kDone) crash_at(CrashPoint::kOffsetsAfter);
  return sent;
}

Ended Transactions::abort(int timeout_ms) {
  return ended(ErrorPtr(rd_kafka_abort_transaction(producer_->client(), timeout_ms)));
}

Result<std::int64_t> Transactions::visible_epoch(int timeout_ms) const {
  ClientPtr client;
  try {
    client = make_client(RD_KAFKA_CONSUMER, make_conf(marker_properties(settings_)));
  } catch (const KafkaError& error) {
    return Error{error.what()};
  }
  const PartitionsPtr offsets(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(offsets.get(), settings_.topic.c_str(), kMarkedPartition);
  const rd_kafka_resp_err_t error = rd_kafka_committed(client.get(), offsets.get(), timeout_ms);
  const rd_kafka_topic_partition_t& marked = offsets->elems[0];
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return Error{unreadable(error)};
  if (marked.err != RD_KAFKA_RESP_ERR_NO_ERROR) return Error{unreadable(marked.err)};
  return marked.offset < 0 ? 0 : marked.offset;
}

}  // namespace machida::kafka
