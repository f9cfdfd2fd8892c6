#include "server/sink/kafka_epoch_sink.h"

#include "embed/error.h"
#include "embed/value.h"
#include "server/base/crash_point.h"
#include "server/base/log.h"

namespace machida::sink {
namespace {

constexpr int kStartTimeoutMs = 5000;
constexpr int kTransactionTimeoutMs = 5000;
constexpr std::uint64_t kAgainMs = 250;
constexpr int kMessagesPerTurnMax = 4096;
constexpr int kAttemptShift = 40;  // of a tag: the attempt above, the message's number below

}  // namespace

KafkaEpochSink::KafkaEpochSink(uv::Loop& loop, flow::Intake& intake, std::string id,
                               kafka::ProducerSettings settings, flow::Place place,
                               flow::DeadLetters& dead_letters, metrics::Registry& metrics,
                               std::int64_t newest_epoch, Calls calls)
    : loop_(loop),
      intake_(intake),
      id_(std::move(id)),
      settings_(std::move(settings)),
      place_(std::move(place)),
      dead_letters_(dead_letters),
      messages_total_(metrics.counter(kMessages, {{"topic", settings_.topic}})),
      troubles_total_(metrics.counter(kTroubles, {{"topic", settings_.topic}})),
      troubles_(fmt::format("sink topic '{}'", settings_.topic)),
      aborts_total_(metrics.counter(kAborts, {{"topic", settings_.topic}})),
      calls_(std::move(calls)),
      wake_(loop,
            [this] {
              producer_->serve();
              if (lost_) return start_anew("the producer has failed");
              send_some();
            }),
      retry_(loop, [this] { start(); }),
      soon_(loop, [this] { send_some(); }),
      turn_end_(loop, [this] { send_some(); }),
      alive_(std::make_shared<bool>(true)),
      newest_epoch_(newest_epoch),
      stored_epoch_(newest_epoch),
      committed_(newest_epoch) {
  make_producer();
}

KafkaEpochSink::~KafkaEpochSink() {
  *alive_ = false;
  end_producer();
}

void KafkaEpochSink::make_producer() {
  producer_ = std::make_shared<kafka::Producer>(settings_, *this, [this] { wake_.ask(); });
  transactions_ = std::make_shared<kafka::Transactions>(producer_, settings_);
  lost_ = false;
  introduced_ = false;
}

void KafkaEpochSink::recover(Outbox::Chunks outbox) {
  ended_.push_back({newest_epoch_, Outbox(std::move(outbox))});
  committed_ = newest_epoch_ - 1;
}

void KafkaEpochSink::open() { start(); }

void KafkaEpochSink::start() {
  phase_ = Phase::kStarting;
  const auto started = std::make_shared<Started>();
  uv::offload(
      loop_,
      [producer = producer_, transactions = transactions_, introduced = introduced_, started] {
        started->introduced = introduced;
        started->ended = {kafka::Outcome::kRetry, producer->probe(kStartTimeoutMs)};
        if (!started->ended.why.empty()) return;
        started->ended = introduced ? kafka::Ended{} : transactions->init(kStartTimeoutMs);
        if (started->ended.outcome != kafka::Outcome::kDone) return;
        started->introduced = true;
        const Result<std::int64_t> visible = transactions->visible_epoch(kStartTimeoutMs);
        if (visible)
          started->visible_epoch = *visible;
        else
          *started = {
              {kafka::Outcome::kRetry, visible.error()}, kafka::Trouble::kTransaction, true};
      },
      [this, alive = alive_, life = life_, started] {
        if (*alive && life == life_) on_started(*started);
      });
}

void KafkaEpochSink::on_started(const Started& started) {
  producer_->serve();
  introduced_ = started.introduced;
  if (started.ended.outcome != kafka::Outcome::kDone || lost_) {
    on_trouble(started.trouble, started.ended.why);
    if (started.ended.outcome == kafka::Outcome::kFatal || lost_) return start_anew("");
    return retry_.start(kAgainMs);
  }
  if (started.visible_epoch > newest_epoch_)
    throw kafka::KafkaError(
        "topic '" + settings_.topic + "' has the outputs of epoch " +
        std::to_string(started.visible_epoch) + ", but the newest one in the store is " +
        std::to_string(newest_epoch_) + ": the store is older than the outputs");
  committed_ = std::max(committed_, started.visible_epoch);
  phase_ = Phase::kNoMessages;
  from_the_start();
  while (!ended_.empty() && ended_.front().number <= started.visible_epoch) front_is_committed();
  well_again();
  if (!connected_) {
    log::info("{}: connected, in transactions", troubles_.who());
    connected_ = true;
    calls_.on_connected();
  }
  send_some();
}

void KafkaEpochSink::end_producer() {
  producer_->silence();
  producer_.reset();  // the transactions have it still
  uv::end_elsewhere(loop_, transactions_);
}

void KafkaEpochSink::start_anew(const std::string& why) {
  if (!why.empty()) on_trouble(kafka::Trouble::kOther, why + ", a new one takes over");
  end_producer();
  make_producer();
  ++life_;
  from_the_start();
  phase_ = Phase::kStarting;
  retry_.start(kAgainMs);
}

void KafkaEpochSink::from_the_start() {
  ++attempt_;
  sent_ = {};
  undelivered_ = 0;
}

std::string KafkaEpochSink::write(std::string_view value, std::optional<std::string_view> key,
                                  std::optional<std::int32_t> partition) {
  const std::size_t bytes = value.size() + (key ? key->size() : 0);
  if (bytes > settings_.message_bytes_max)
    return fmt::format("a message of {} bytes is over max_message_size, {}", bytes,
                       settings_.message_bytes_max);
  open_.append(value, key, partition);
  follow_queue();
  return "";
}

void KafkaEpochSink::send_some() {
  if (phase_ == Phase::kNoMessages) {
    Outbox::Cursor look = sent_;
    if (!front().next(look)) return commit_when_delivered();
    const kafka::Ended begun = transactions_->begin();
    if (begun.outcome == kafka::Outcome::kFatal) return start_anew(begun.why);
    if (begun.outcome != kafka::Outcome::kDone) return abort(begun.why);
    phase_ = Phase::kOpen;
    crash_at(CrashPoint::kProduceBefore);
  }
  if (phase_ != Phase::kOpen) return;
  for (int i = 0; i < kMessagesPerTurnMax; ++i) {
    const Outbox::Cursor before = sent_;
    const std::optional<kafka::OutMessage> message = front().next(sent_);
    if (!message) return commit_when_delivered();
    if (!send(*message, before.message)) {
      // librdkafka's queue is full: what is delivered next makes room.
      if (phase_ == Phase::kOpen) sent_ = before;
      return;
    }
  }
  soon_.ask();
}

bool KafkaEpochSink::send(const kafka::OutMessage& message, std::uint64_t number) {
  if (dropped_.contains(number)) return true;
  std::string why;
  const std::uint64_t tag = std::uint64_t{attempt_} << kAttemptShift | number;
  switch (producer_->send(message, tag, why)) {
    case kafka::Sent::kQueueFull:
      return false;
    case kafka::Sent::kYes:
      ++undelivered_;
      return true;
    case kafka::Sent::kNotNow:
      abort(why);
      return false;
    case kafka::Sent::kRefused:
      drop(number, message.value, why);
  }
  return true;
}

void KafkaEpochSink::on_delivered(std::uint64_t tag, const kafka::OutMessage& message,
                                  const kafka::Fate& fate) {
  if (tag >> kAttemptShift != (attempt_ & 0xffffff)) return;
  --undelivered_;
  if (fate.kind == kafka::Fate::Kind::kDelivered) return well_again();
  if (fate.kind == kafka::Fate::Kind::kRefused)
    drop(tag & ((std::uint64_t{1} << kAttemptShift) - 1), message.value, fate.error);
  if (phase_ == Phase::kOpen) abort(fate.error);
}

void KafkaEpochSink::drop(std::uint64_t number, std::string_view value, const std::string& why) {
  if (!dropped_.insert(number).second) return;
  const embed::GilLock gil;
  const embed::Object input = embed::make_bytes(gil, value);
  dead_letters_.add(gil, place_, embed::made_error("KafkaError", why), input.get());
}

Outbox::Chunks KafkaEpochSink::end_epoch(std::int64_t epoch) {
  newest_epoch_ = epoch;
  asked_to_end_ = false;
  ended_.push_back({epoch, std::exchange(open_, Outbox())});
  return ended_.back().outbox.chunks();
}

void KafkaEpochSink::commit(std::int64_t epoch) {
  stored_epoch_ = epoch;
  send_some();
}

void KafkaEpochSink::commit_when_delivered() {
  if (ended_.empty() || ended_.front().number > stored_epoch_ || undelivered_ > 0) return;
  if (phase_ == Phase::kNoMessages) return front_is_committed();  // it had no outputs here
  phase_ = Phase::kCommitting;
  crash_at(CrashPoint::kProduceAfter);
  offload([epoch = ended_.front().number](
              kafka::Transactions& t) { return t.commit(epoch, kTransactionTimeoutMs); },
          &KafkaEpochSink::on_commit_ended);
}

void KafkaEpochSink::on_commit_ended(const kafka::Ended& ended) {
  switch (ended.outcome) {
    case kafka::Outcome::kDone:
      phase_ = Phase::kNoMessages;
      front_is_committed();
      well_again();
      return send_some();
    case kafka::Outcome::kRetry:
      on_trouble(kafka::Trouble::kBrokers, ended.why);
      phase_ = Phase::kOpen;
      return soon_.ask();
    case kafka::Outcome::kAbort:
      return abort(ended.why);
    case kafka::Outcome::kFatal:
      return start_anew(ended.why);
  }
}

void KafkaEpochSink::abort(const std::string& why) {
  on_trouble(kafka::Trouble::kOther, "a transaction is aborted and produced again: " + why);
  aborts_total_.add();
  phase_ = Phase::kAborting;
  from_the_start();
  offload([](kafka::Transactions& t) { return t.abort(kTransactionTimeoutMs); },
          &KafkaEpochSink::on_abort_ended);
}

void KafkaEpochSink::on_abort_ended(const kafka::Ended& ended) {
  if (ended.outcome == kafka::Outcome::kFatal) return start_anew(ended.why);
  if (ended.outcome != kafka::Outcome::kDone)
    return offload([](kafka::Transactions& t) { return t.abort(kTransactionTimeoutMs); },
                   &KafkaEpochSink::on_abort_ended);
  phase_ = Phase::kNoMessages;
  send_some();
}

void KafkaEpochSink::offload(std::function<kafka::Ended(kafka::Transactions&)> work,
                             void (KafkaEpochSink::*then)(const kafka::Ended&)) {
  const auto ended = std::make_shared<kafka::Ended>();
  uv::offload(
      loop_,
      [transactions = transactions_, work = std::move(work), ended] {
        *ended = work(*transactions);
      },
      [this, alive = alive_, life = life_, ended, then] {
        if (!*alive || life != life_) return;
        producer_->serve();
        if (lost_) ended->outcome = kafka::Outcome::kFatal;
        (this->*then)(*ended);
      });
}

void KafkaEpochSink::front_is_committed() {
  messages_total_.add(sent_.message - dropped_.size());
  committed_ = std::max(committed_, ended_.front().number);
  ended_.pop_front();
  dropped_.clear();
  from_the_start();
  follow_queue();
  calls_.on_committed();
}

void KafkaEpochSink::on_trouble(kafka::Trouble kind, const std::string& what) {
  troubles_total_.add();
  troubles_.say(kind, what, connected_ ? "" : ", the sources open then");
}

// Called from within serve(), whose producer can't be ended now.
void KafkaEpochSink::on_fatal(const std::string& what) {
  lost_ = true;
  on_trouble(kafka::Trouble::kOther, what);
}

void KafkaEpochSink::well_again() {
  if (connected_)
    troubles_.over();
  else
    troubles_.forget();
}

void KafkaEpochSink::follow_queue() {
  std::size_t bytes = open_.bytes();
  for (const EndedEpoch& epoch : ended_) bytes += epoch.outbox.bytes();
  if (open_.bytes() > settings_.queue_bytes_max / 2 && !asked_to_end_) {
    asked_to_end_ = true;
    calls_.on_full();
  }
  intake_.follow(bytes > settings_.queue_bytes_max, bytes < settings_.queue_bytes_max / 2);
}

std::string KafkaEpochSink::undelivered() const {
  std::uint64_t messages = open_.messages();
  for (const EndedEpoch& epoch : ended_) messages += epoch.outbox.messages();
  return fmt::format("{} messages for topic '{}'", messages, settings_.topic);
}

}  // namespace machida::sink
