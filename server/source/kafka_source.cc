#include "server/source/kafka_source.h"

#include <algorithm>

#include "server/base/log.h"

namespace machida::source {
namespace {

constexpr std::uint64_t kSignOfLifeMsMax = 1000;
constexpr std::uint64_t kCommitAnswerMsMax = 5000;  // when draining

}  // namespace

KafkaSource::KafkaSource(uv::Loop& loop, flow::Pipeline& pipeline, flow::Intake& intake,
                         kafka::ConsumerSettings settings, std::uint64_t commit_interval_ms,
                         WhenDelivered when_delivered, metrics::Registry& metrics)
    : loop_(loop),
      intake_(intake),
      settings_(std::move(settings)),
      commit_interval_ms_(commit_interval_ms),
      when_delivered_(std::move(when_delivered)),
      commits_total_(metrics.counter(kCommits, {{"topic", settings_.topic}})),
      status_(pipeline, settings_.topic, "as group " + settings_.group, metrics),
      messages_(loop, pipeline, intake, settings_.topic, metrics),
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

void KafkaSource::open(OnOpen on_open) {
  status_.opening(std::move(on_open));
  phase_ = Phase::kJoining;
  consumer_->subscribe();
  commit_timer_.start(std::min(commit_interval_ms_, kSignOfLifeMsMax));
}

void KafkaSource::work() {
  if (!consumer_) return;
  if (phase_ == Phase::kClosing) return close();
  consumer_->serve();
  if (phase_ == Phase::kRunning && !intake_.paused()) run_messages();
}

void KafkaSource::run_messages() {
  const KafkaMessages::Ran ran = messages_.run(*consumer_);
  if (!ran.error.empty()) on_trouble(kafka::Trouble::kOther, ran.error);
  if (ran.messages > 0) {
    status_.well_again();
    uncommitted_ = true;
  }
  if (ran.more) soon_.ask();
}

void KafkaSource::begin_commit() {
  commit_timer_.start(std::min(commit_interval_ms_, kSignOfLifeMsMax));
  work();
  if (phase_ == Phase::kDraining && commit_deadline_ms_ != 0 &&
      loop_.now_ms() > commit_deadline_ms_) {
    log::warn("{}: the last commit was not answered; a restart may repeat messages", status_.who());
    return close_soon();
  }
  if (!uncommitted_ || committing_ || phase_ != Phase::kRunning) return;
  committing_ = true;
  uncommitted_ = false;
  when_delivered_([this, positions = messages_.positions()] {
    if (consumer_ && phase_ == Phase::kRunning)
      commit(positions);
    else
      committing_ = false;  // the partitions are going, with a commit of their own
  });
}

void KafkaSource::on_assigned(const std::vector<std::int32_t>& partitions) {
  log::info("{}: {} partitions assigned", status_.who(), partitions.size());
  messages_.positions().clear();
  uncommitted_ = false;
  committing_ = false;
  if (phase_ == Phase::kJoining || phase_ == Phase::kRevoking) phase_ = Phase::kRunning;
  status_.well_again();
  status_.opened();
  soon_.ask();
}

void KafkaSource::on_revoked(bool lost) {
  log::info("{}: {} partitions {}", status_.who(), messages_.positions().size(),
            lost ? "lost" : "given up");
  if (phase_ == Phase::kRunning) phase_ = Phase::kRevoking;
  if (lost || (phase_ != Phase::kRevoking && phase_ != Phase::kDraining)) return give_up();
  when_delivered_([this] {
    if (consumer_ && !messages_.positions().empty()) commit(messages_.positions());
    give_up();
  });
}

void KafkaSource::commit(const kafka::Positions& positions) {
  ++unanswered_;
  consumer_->commit(positions);
}

void KafkaSource::give_up() {
  messages_.positions().clear();
  uncommitted_ = false;
  if (consumer_) consumer_->give_up();
}

void KafkaSource::on_committed(const std::string& error) {
  committing_ = false;
  --unanswered_;
  if (error.empty()) {
    commits_total_.add();
    status_.well_again();
  } else {
    uncommitted_ = true;
    on_trouble(kafka::Trouble::kOther, "offsets can't be committed: " + error);
  }
  close_when_answered();
}

void KafkaSource::on_trouble(kafka::Trouble kind, const std::string& what) {
  status_.trouble(kind, what);
}

void KafkaSource::drain() {
  if (phase_ == Phase::kDraining || phase_ == Phase::kClosing || phase_ == Phase::kClosed) return;
  const bool has_partitions = phase_ == Phase::kRunning || phase_ == Phase::kRevoking;
  phase_ = Phase::kDraining;
  if (!has_partitions) return close_soon();
  when_delivered_([this] { finish_drain(); });
}

void KafkaSource::finish_drain() {
  if (!consumer_) return;
  commit_deadline_ms_ = loop_.now_ms() + kCommitAnswerMsMax;
  if (!messages_.positions().empty()) return commit(messages_.positions());
  close_when_answered();
}

// Not upon the answer to an earlier commit, which may be on its way when draining begins.
void KafkaSource::close_when_answered() {
  if (phase_ == Phase::kDraining && commit_deadline_ms_ != 0 && unanswered_ == 0) close_soon();
}

// Not from within the consumer's own call.
void KafkaSource::close_soon() {
  phase_ = Phase::kClosing;
  soon_.ask();
}

// Leaving the group and ending librdkafka's threads can take seconds.
void KafkaSource::close() {
  if (!consumer_) return;
  messages_.forget();
  consumer_->silence();
  uv::end_elsewhere(loop_, consumer_);
  phase_ = Phase::kClosed;
}

}  // namespace machida::source
