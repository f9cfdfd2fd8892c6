#include "tests/sim/sinks.h"

#include <algorithm>
#include <utility>

namespace machida::sim {

TransactionSink::TransactionSink(Scheduler& scheduler, Broker& broker, std::string id,
                                 const std::string& identity, std::uint64_t delay_us_max,
                                 std::int64_t newest_epoch, Calls calls)
    : scheduler_(scheduler),
      broker_(broker),
      id_(std::move(id)),
      transactional_id_(identity + "-" + id_),
      delay_us_max_(delay_us_max),
      calls_(std::move(calls)),
      newest_epoch_(newest_epoch),
      stored_epoch_(newest_epoch),
      committed_(newest_epoch) {}

void TransactionSink::later(std::function<void()> action) {
  scheduler_.after(scheduler_.random().below(delay_us_max_),
                   [alive = alive_, action = std::move(action)] {
                     if (*alive) action();
                   });
}

void TransactionSink::recover(sink::Outbox::Chunks outbox) {
  ended_.push_back({newest_epoch_, sink::Outbox(std::move(outbox))});
  committed_ = newest_epoch_ - 1;
}

void TransactionSink::open() {
  later([this] { introduce(); });
}

void TransactionSink::introduce() {
  producer_ = broker_.introduce(transactional_id_);
  const std::int64_t visible = broker_.visible_epoch(transactional_id_);
  if (visible > newest_epoch_) return calls_.on_failed("the store is older than the outputs");
  committed_ = std::max(committed_, visible);
  sent_ = false;
  while (!ended_.empty() && ended_.front().number <= visible) front_is_committed();
  if (!std::exchange(connected_, true)) calls_.on_connected();
  commit_front();
}

std::string TransactionSink::write(std::string_view value, std::optional<std::string_view> key,
                                   std::optional<std::int32_t> partition) {
  open_.append(value, key, partition);
  return "";
}

sink::Outbox::Chunks TransactionSink::end_epoch(std::int64_t epoch) {
  newest_epoch_ = epoch;
  ended_.push_back({epoch, std::exchange(open_, sink::Outbox())});
  return ended_.back().outbox.chunks();
}

void TransactionSink::commit(std::int64_t epoch) {
  stored_epoch_ = epoch;
  commit_front();
}

void TransactionSink::commit_front() {
  if (producer_ == 0 || busy_ || ended_.empty() || ended_.front().number > stored_epoch_) return;
  const sink::Outbox& outbox = ended_.front().outbox;
  if (outbox.empty()) return front_is_committed();
  if (!std::exchange(sent_, true)) {
    sink::Outbox::Cursor cursor;
    while (const std::optional<kafka::OutMessage> message = outbox.next(cursor))
      broker_.send(transactional_id_, producer_, std::string(message->value));
  }
  busy_ = true;
  // The request arrives, whether or not this worker lives to hear the answer.
  scheduler_.after(scheduler_.random().below(delay_us_max_),
                   [this, alive = alive_, &broker = broker_, id = transactional_id_,
                    producer = producer_, epoch = ended_.front().number, &scheduler = scheduler_] {
                     const kafka::Outcome outcome = broker.commit(id, producer, epoch);
                     scheduler.note("the broker commits", -1, epoch,
                                    static_cast<std::int64_t>(outcome));
                     if (*alive) later([this, outcome] { on_answer(outcome); });
                   });
}

void TransactionSink::on_answer(kafka::Outcome outcome) {
  busy_ = false;
  switch (outcome) {
    case kafka::Outcome::kDone:
      sent_ = false;
      return front_is_committed();
    case kafka::Outcome::kRetry:
      return commit_front();
    case kafka::Outcome::kAbort:
      sent_ = false;
      return commit_front();
    case kafka::Outcome::kFatal:
      producer_ = 0;
      return open();
  }
}

void TransactionSink::front_is_committed() {
  committed_ = std::max(committed_, ended_.front().number);
  ended_.pop_front();
  calls_.on_committed();
}

ConnectionSink::ConnectionSink(Scheduler& scheduler, flow::Intake& room, std::uint64_t delay_us_max,
                               std::vector<std::string>& received)
    : scheduler_(scheduler), room_(room), delay_us_max_(delay_us_max), received_(received) {}

void ConnectionSink::write(std::string_view bytes) {
  waiting_.emplace_back(bytes);
  ++written_;
  deliver_later();
  if (full_ || waiting_.size() <= kFullOutputs) return;
  full_ = true;
  room_.pause();
}

void ConnectionSink::deliver_later() {
  if (under_way_) return;
  under_way_ = true;
  scheduler_.after(scheduler_.random().below(delay_us_max_), [this, alive = alive_] {
    if (!*alive) return;
    under_way_ = false;
    for (std::uint64_t n = scheduler_.random().between(1, waiting_.size()); n > 0; --n) {
      received_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
      ++delivered_;
    }
    if (!waiting_.empty()) deliver_later();
    if (full_ && waiting_.size() < kLowOutputs) {
      full_ = false;
      room_.resume();
    }
  });
}

}  // namespace machida::sim
