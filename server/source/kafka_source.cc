#include "server/source/kafka_source.h"

#include <algorithm>
#include <chrono>

#include "server/base/log.h"
#include "server/flow/batch.h"

namespace machida::source {
namespace {

constexpr std::uint64_t kSignOfLifeMsMax = 1000;
constexpr std::uint64_t kCommitAnswerMsMax = 5000;  // when draining

}  // namespace

KafkaSource::KafkaSource(uv::Loop& loop, flow::Pipeline& pipeline, flow::Intake& intake,
                         kafka::ConsumerSettings settings, std::uint64_t commit_interval_ms,
                         WhenDelivered when_delivered, metrics::Registry& metrics)
    : loop_(loop),
      pipeline_(pipeline),
      intake_(intake),
      settings_(std::move(settings)),
      commit_interval_ms_(commit_interval_ms),
      when_delivered_(std::move(when_delivered)),
      messages_total_(metrics.counter(kMessages, {{"topic", settings_.topic}})),
      commits_total_(metrics.counter(kCommits, {{"topic", settings_.topic}})),
      troubles_total_(metrics.counter(kTroubles, {{"topic", settings_.topic}})),
      wake_(loop, [this] { work(); }),
      soon_(loop, [this] { work(); }),
      commit_timer_(loop, [this] { begin_commit(); }) {
  consumer_ = std::make_unique<kafka::Consumer>(settings_, *this, [this] { wake_.ask(); });
  intake_.watch([this] {
    if (!intake_.paused()) soon_.ask();
  });
}

KafkaSource::~KafkaSource() {
  if (consumer_) close();
}

std::string KafkaSource::name() const {
  return fmt::format("pipeline '{}': topic '{}'", pipeline_.name(), settings_.topic);
}

void KafkaSource::open(OnOpen on_open) {
  on_open_ = std::move(on_open);
  phase_ = Phase::kJoining;
  consumer_->subscribe();
  commit_timer_.start(std::min(commit_interval_ms_, kSignOfLifeMsMax));
}

void KafkaSource::opened() {
  if (!on_open_) return;
  const OnOpen on_open = std::exchange(on_open_, nullptr);
  on_open(
      std::vector<std::string>{fmt::format("consuming {} as group {} (pipeline \"{}\")",
                                           settings_.topic, settings_.group, pipeline_.name())});
}

void KafkaSource::work() {
  if (!consumer_) return;
  if (phase_ == Phase::kClosing) return close();
  consumer_->serve();
  if (phase_ == Phase::kRunning && !intake_.paused()) run_messages();
}

void KafkaSource::run_messages() {
  const auto start = std::chrono::steady_clock::now();
  while (consumer_ && phase_ == Phase::kRunning && !intake_.paused()) {
    if (consumer_->take(batch_, flow::kBatchRecordsMax) == 0) return;
    refill();
    try {
      run_batch();
    } catch (...) {
      intake_.pause();  // user code ends the worker: nothing more is processed
      throw;
    }
    if (std::chrono::steady_clock::now() - start > kShareOfTurn) return soon_.ask();
  }
}

void KafkaSource::refill() {
  if (refilling_ && *refilling_) return;
  std::function<void()> ask = consumer_->refill();
  if (!ask) return;
  refilling_ = std::make_shared<bool>(true);
  uv::offload(loop_, std::move(ask), [refilling = refilling_] { *refilling = false; });
}

void KafkaSource::run_batch() {
  messages_.clear();
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const std::string error = batch_.error(i);
    if (batch_.lacks_offset(i))
      throw kafka::KafkaError(name() + ": " + error + " (start=\"error\")");
    if (!error.empty()) {
      on_trouble(kafka::Trouble::kOther, error);
      continue;
    }
    const auto position = positions_.try_emplace(batch_.partition(i), 0).first;
    if (batch_.offset(i) < position->second) continue;  // librdkafka may repeat after a resume
    position->second = batch_.offset(i) + 1;
    flow::Message& message = messages_.emplace_back();
    message.value = batch_.value(i);
    if (!pipeline_.wants_messages()) continue;
    message.key = batch_.key(i);
    message.topic = settings_.topic;
    message.partition = batch_.partition(i);
    message.offset = batch_.offset(i);
    message.timestamp_ms = batch_.timestamp_ms(i);
    message.headers = batch_.headers(i);
  }
  if (messages_.empty()) return;
  well_again();
  {
    const embed::GilLock gil;
    pipeline_.run_messages(gil, messages_);
  }
  messages_total_.add(messages_.size());
  uncommitted_ = true;
}

void KafkaSource::begin_commit() {
  commit_timer_.start(std::min(commit_interval_ms_, kSignOfLifeMsMax));
  work();
  if (phase_ == Phase::kDraining && commit_deadline_ms_ != 0 &&
      loop_.now_ms() > commit_deadline_ms_) {
    log::warn("{}: the last commit was not answered; a restart may repeat messages", name());
    return close_soon();
  }
  if (!uncommitted_ || committing_ || phase_ != Phase::kRunning) return;
  committing_ = true;
  uncommitted_ = false;
  when_delivered_([this, positions = positions_] {
    if (consumer_ && phase_ == Phase::kRunning)
      consumer_->commit(positions);
    else
      committing_ = false;  // the partitions are going, with a commit of their own
  });
}

void KafkaSource::on_assigned(const std::vector<std::int32_t>& partitions) {
  log::info("{}: {} partitions assigned", name(), partitions.size());
  positions_.clear();
  uncommitted_ = false;
  committing_ = false;
  if (phase_ == Phase::kJoining || phase_ == Phase::kRevoking) phase_ = Phase::kRunning;
  well_again();
  opened();
  soon_.ask();
}

void KafkaSource::on_revoked(bool lost) {
  log::info("{}: {} partitions {}", name(), positions_.size(), lost ? "lost" : "given up");
  if (phase_ == Phase::kRunning) phase_ = Phase::kRevoking;
  if (lost || phase_ != Phase::kRevoking) return give_up();
  when_delivered_([this] {
    if (consumer_ && !positions_.empty()) consumer_->commit(positions_);
    give_up();
  });
}

void KafkaSource::give_up() {
  positions_.clear();
  uncommitted_ = false;
  if (consumer_) consumer_->give_up();
}

void KafkaSource::on_committed(const std::string& error) {
  committing_ = false;
  if (error.empty()) {
    commits_total_.add();
    well_again();
  } else {
    uncommitted_ = true;
    on_trouble(kafka::Trouble::kOther, "offsets can't be committed: " + error);
  }
  if (phase_ == Phase::kDraining) close_soon();
}

void KafkaSource::on_trouble(kafka::Trouble kind, const std::string& what) {
  troubles_total_.add();
  if (said_.insert(kind).second)
    log::warn("{}: {}; waiting for it to end{}", name(), what,
              on_open_ && kind == kafka::Trouble::kBrokers ? ", the application starts then" : "");
  if (kind == kafka::Trouble::kTopic) opened();
}

void KafkaSource::well_again() {
  if (said_.empty()) return;
  said_.clear();
  log::info("{}: goes on", name());
}

void KafkaSource::drain() {
  if (phase_ == Phase::kDraining || phase_ == Phase::kClosing || phase_ == Phase::kClosed) return;
  const bool running = phase_ == Phase::kRunning;
  phase_ = Phase::kDraining;
  if (!running) return close_soon();
  when_delivered_([this] { finish_drain(); });
}

void KafkaSource::finish_drain() {
  if (!consumer_) return;
  if (positions_.empty()) return close_soon();
  commit_deadline_ms_ = loop_.now_ms() + kCommitAnswerMsMax;
  consumer_->commit(positions_);  // ends in on_committed, and that in close()
}

// Not from within the consumer's own call.
void KafkaSource::close_soon() {
  phase_ = Phase::kClosing;
  soon_.ask();
}

// Leaving the group and ending librdkafka's threads can take seconds.
void KafkaSource::close() {
  if (!consumer_) return;
  batch_.clear();
  consumer_->silence();
  const auto held = std::make_shared<std::unique_ptr<kafka::Consumer>>(std::move(consumer_));
  uv::offload(loop_, [held] { held->reset(); }, [] {});
  phase_ = Phase::kClosed;
}

}  // namespace machida::source
