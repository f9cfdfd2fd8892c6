#include "server/checkpoint/epochs.h"

#include <utility>

#include "server/base/check.h"
#include "server/base/crash_point.h"
#include "server/base/log.h"

namespace machida::checkpoint {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kWriteShareOfTurn{1};
constexpr std::uint64_t kLookAgainMs = 2;
constexpr std::uint64_t kStoreAgainMs = 1000;  // after the device was full

}  // namespace

Epochs::Epochs(Parts parts, std::int64_t newest, std::vector<Position> positions,
               metrics::Registry& metrics)
    : parts_(std::move(parts)),
      newest_(newest),
      closed_positions_(std::move(positions)),
      epochs_total_(metrics.counter(kEpochs, {})),
      epoch_us_(metrics.counter(kEpochMicros, {})),
      barrier_us_(metrics.counter(kBarrierMicros, {})),
      commit_us_(metrics.counter(kCommitMicros, {})),
      keys_total_(metrics.counter(kKeys, {})),
      bytes_total_(metrics.counter(kStateBytes, {})),
      failures_total_(metrics.counter(kFailures, {})) {
  if (!parts_.unfinished) return;
  began_ = parts_.surroundings.now();
  epoch_ = std::make_shared<store::Epoch>();
  epoch_->number = newest_;
  epoch_->positions = closed_positions_;
  failure_ = std::make_shared<std::exception_ptr>();
  phase_ = Phase::kCommitting;  // the sinks are at it
}

std::uint64_t Epochs::micros_since(Clock::time_point start) const {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(parts_.surroundings.now() - start)
          .count());
}

bool Epochs::has_progress() const {
  for (const flow::EpochStates* states : parts_.states)
    if (states->has_changes()) return true;
  for (const flow::EpochSink* sink : parts_.sinks)
    if (sink->has_outputs()) return true;
  std::vector<Position> positions;
  for (const flow::EpochSource* source : parts_.sources) source->positions(positions);
  return positions != closed_positions_;
}

bool Epochs::all_closed() const { return phase_ == Phase::kOpen && !has_progress(); }

void Epochs::end() {
  end_wanted_ = true;
  if (phase_ == Phase::kOpen || phase_ == Phase::kCommitting) work();
}

void Epochs::work() {
  while (true) {
    switch (phase_) {
      case Phase::kOpen:
        if (!std::exchange(end_wanted_, false) || !has_progress()) return;
        return parts_.accord.want_end();
      case Phase::kWriting:
        if (!write_states()) return parts_.surroundings.work_soon();
        break;
      case Phase::kDelivering:
        if (!delivered()) return parts_.surroundings.work_after(kLookAgainMs);
        store();
        return;
      case Phase::kCommitting:
        if (!committed()) return;                                           // a sink says when
        if (std::exchange(parts_.unfinished, false)) return begin_close();  // all have stored it
        phase_ = Phase::kCommitted;
        return parts_.accord.committed(epoch_->number);
      case Phase::kStoring:
      case Phase::kClosing:
        return;  // another thread is at it
      case Phase::kStored:
      case Phase::kCommitted:
        return;  // other workers are at it
    }
  }
}

void Epochs::end_epoch(std::int64_t epoch) {
  MACHIDA_CHECK(phase_ == Phase::kOpen, "an epoch ends while the one before is in work");
  MACHIDA_CHECK(epoch == newest_ + 1, "epochs follow each other");
  end_wanted_ = false;
  begin_end();
  work();
}

void Epochs::begin_end() {
  began_ = parts_.surroundings.now();
  epoch_ = std::make_shared<store::Epoch>();
  epoch_->number = ++newest_;
  for (flow::EpochStates* states : parts_.states) states->end_epoch();
  for (const flow::EpochSource* source : parts_.sources) source->positions(epoch_->positions);
  for (flow::EpochSink* sink : parts_.sinks) {
    store::Outbox outbox{sink->id(), sink->end_epoch(epoch_->number)};
    if (!outbox.chunks.empty()) epoch_->outboxes.push_back(std::move(outbox));
  }
  marks_.clear();
  for (flow::Delivery* delivery : parts_.deliveries) marks_.push_back(delivery->mark());
  if (parts_.journal) parts_.journal->begin_segment();
  last_.barrier_us = micros_since(began_);
  barrier_us_.add(last_.barrier_us);
  phase_ = Phase::kWriting;
  crash_at(CrashPoint::kSnapshotBefore);
}

// False: this turn's share is used up.
bool Epochs::write_states() {
  const Clock::time_point start = parts_.surroundings.now();
  {
    const embed::GilLock gil;
    for (flow::EpochStates* states : parts_.states)
      while (states->write_some(gil, parts_.states_at_once))
        if (parts_.surroundings.now() - start > kWriteShareOfTurn) return false;
  }
  bytes_total_.add(parts_.rows.bytes());
  epoch_->states = parts_.rows.take();
  last_.keys = 0;
  for (const store::StateRows& rows : epoch_->states) last_.keys += rows.rows.size();
  keys_total_.add(last_.keys);
  crash_at(CrashPoint::kSnapshotAfter);
  phase_ = Phase::kDelivering;
  return true;
}

bool Epochs::delivered() const {
  for (std::size_t i = 0; i < marks_.size(); ++i)
    if (!parts_.deliveries[i]->delivered(marks_[i])) return false;
  return true;
}

void Epochs::store() {
  phase_ = Phase::kStoring;
  store_began_ = parts_.surroundings.now();
  failure_ = std::make_shared<std::exception_ptr>();
  parts_.surroundings.offload(
      [&store = parts_.store, journal = parts_.journal, epoch = epoch_, failure = failure_] {
        try {
          if (journal) journal->sync();
          store.commit(*epoch);
        } catch (...) {
          *failure = std::current_exception();
        }
      },
      [this] { on_stored(); });
}

void Epochs::on_stored() {
  last_.store_us = micros_since(store_began_);
  commit_us_.add(last_.store_us);
  if (*failure_) {
    failures_total_.add();
    try {
      std::rethrow_exception(*failure_);
    } catch (const store::StoreFull& full) {
      if (!std::exchange(said_full_, true))
        log::error("epoch {} can't be stored: {}; its outputs wait, tried again every second",
                   epoch_->number, full.what());
    }
    phase_ = Phase::kDelivering;
    return parts_.surroundings.work_after(kStoreAgainMs);
  }
  if (std::exchange(said_full_, false)) log::info("epoch {} is stored", epoch_->number);
  phase_ = Phase::kStored;
  parts_.accord.stored(epoch_->number);
}

void Epochs::commit(std::int64_t epoch) {
  MACHIDA_CHECK(phase_ == Phase::kStored && epoch == newest_, "only a stored epoch is committed");
  phase_ = Phase::kCommitting;
  for (flow::EpochSink* sink : parts_.sinks) sink->commit(epoch_->number);
  work();
}

bool Epochs::committed() const {
  for (const flow::EpochSink* sink : parts_.sinks)
    if (!sink->committed(epoch_->number)) return false;
  return true;
}

void Epochs::close(std::int64_t epoch) {
  MACHIDA_CHECK(phase_ == Phase::kCommitted && epoch == newest_, "only a committed epoch closes");
  begin_close();
}

void Epochs::begin_close() {
  phase_ = Phase::kClosing;
  parts_.surroundings.offload(
      [&store = parts_.store, epoch = epoch_, failure = failure_] {
        try {
          crash_at(CrashPoint::kEpochCloseBefore);
          store.close(epoch->number);
          crash_at(CrashPoint::kEpochCloseAfter);
        } catch (...) {
          *failure = std::current_exception();
        }
        epoch->states = {};  // here, since freeing a million rows takes 0.1 s
      },
      [this] { on_closed(); });
}

void Epochs::on_closed() {
  try {
    if (*failure_) std::rethrow_exception(*failure_);
  } catch (const store::StoreFull&) {
    // A closed epoch is closed again by the next commit; after a crash its sinks know better.
    failures_total_.add();
  }
  for (flow::EpochSource* source : parts_.sources) source->passed(epoch_->positions);
  closed_positions_ = std::move(epoch_->positions);
  epoch_.reset();
  phase_ = Phase::kOpen;
  epochs_total_.add();
  const std::uint64_t took_us = micros_since(began_);
  epoch_us_.add(took_us);
  log::debug("epoch {} is closed: {} keys; barrier {} us, store {} us, in all {} us", newest_,
             last_.keys, last_.barrier_us, last_.store_us, took_us);
  parts_.on_closed();
  parts_.accord.closed(newest_);
  if (end_wanted_ && phase_ == Phase::kOpen) work();
}

}  // namespace machida::checkpoint
