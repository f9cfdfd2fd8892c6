#include "server/cluster/coordination.h"

#include <utility>
#include <variant>

#include "server/base/check.h"

namespace machida::cluster {
namespace {

std::uint64_t number(std::int64_t epoch) { return static_cast<std::uint64_t>(epoch); }

}  // namespace

Coordination::Coordination(Parts parts)
    : parts_(std::move(parts)),
      epoch_(parts_.newest_epoch),
      member_in_work_(parts_.member_in_work) {
  for (std::vector<std::uint32_t>& barriers : barriers_) barriers.resize(parts_.stages + 2);
}

void Coordination::tell_coordinator(const wire::LinkMessage& message) {
  if (is_coordinator())
    coordinate(message);
  else
    parts_.peers.send(kCoordinator, message);
}

void Coordination::tell_all(const wire::LinkMessage& message) {
  parts_.peers.send_all(message);
  follow(message);
}

void Coordination::ready() { tell_coordinator(wire::Ready{}); }

void Coordination::sources_drained() {
  if (std::exchange(drained_said_, true)) return;
  tell_coordinator(wire::Drained{});
}

void Coordination::want_end() {
  if (is_coordinator()) {
    end_wanted_ = true;
    begin_round();
  } else {
    parts_.peers.send(kCoordinator, wire::EndEpoch{number(epoch_ + 1)});
  }
}

void Coordination::stored(std::int64_t epoch) { tell_coordinator(wire::Stored{number(epoch)}); }

void Coordination::committed(std::int64_t epoch) {
  tell_coordinator(wire::Committed{number(epoch)});
}

void Coordination::closed(std::int64_t epoch) {
  if (parts_.on_closed) parts_.on_closed(epoch);
  member_in_work_ = false;
  end_when_free();
}

void Coordination::end_when_free() {
  if (!end_waits_ || member_in_work_ || stage_ != 0) return;
  end_waits_ = false;
  begin_end();
}

bool Coordination::on_message(std::uint32_t from, const wire::LinkMessage& message) {
  if (const auto* barrier = std::get_if<wire::Barrier>(&message)) return on_barrier(*barrier);
  if (is_coordinator()) return coordinate(message);
  return from == kCoordinator && follow(message);
}

bool Coordination::count(std::uint32_t& so_far) {
  MACHIDA_CHECK(so_far < parts_.peers.workers(), "a worker said something twice");
  if (++so_far < parts_.peers.workers()) return false;
  so_far = 0;
  return true;
}

bool Coordination::coordinate(const wire::LinkMessage& message) {
  if (std::holds_alternative<wire::EndEpoch>(message)) {
    // One that was wanted before the epoch ended is part of it.
    if (std::get<wire::EndEpoch>(message).epoch != number(epoch_ + 1)) return true;
    end_wanted_ = true;
    begin_round();
  } else if (std::holds_alternative<wire::Stored>(message)) {
    if (round_ != Round::kStoring) return false;
    if (!count(stored_)) return true;
    round_ = Round::kCommitting;
    tell_all(wire::Commit{number(epoch_)});
  } else if (std::holds_alternative<wire::Committed>(message)) {
    if (round_ != Round::kCommitting) return false;
    if (!count(committed_)) return true;
    round_ = Round::kNone;
    const bool last = std::exchange(last_round_, false);
    tell_all(wire::Close{number(epoch_)});
    if (last) return tell_all(wire::Drained{}), true;
    begin_round();
  } else if (std::holds_alternative<wire::Ready>(message)) {
    if (count(ready_)) tell_all(wire::Ready{});
  } else if (std::holds_alternative<wire::Drained>(message)) {
    if (drained_ >= parts_.peers.workers()) return false;
    if (++drained_ == parts_.peers.workers()) begin_round();
  } else {
    return false;
  }
  return true;
}

void Coordination::begin_round() {
  const bool all_ended = drained_ == parts_.peers.workers() && !all_drained_;
  if (round_ != Round::kNone || (!end_wanted_ && !all_ended)) return;
  round_ = Round::kStoring;
  end_wanted_ = false;
  last_round_ = all_ended;
  if (all_ended && parts_.on_stage_over) tell_all(wire::Drain{});
  tell_all(wire::EndEpoch{number(epoch_ + 1)});
}

bool Coordination::follow(const wire::LinkMessage& message) {
  if (const auto* end = std::get_if<wire::EndEpoch>(&message)) {
    if (end->epoch != number(epoch_ + 1) || end_waits_) return false;
    end_waits_ = true;
    end_when_free();
  } else if (const auto* commit = std::get_if<wire::Commit>(&message)) {
    if (commit->epoch != number(epoch_)) return false;
    parts_.member.commit(epoch_);
  } else if (const auto* close = std::get_if<wire::Close>(&message)) {
    if (close->epoch != number(epoch_)) return false;
    parts_.member.close(epoch_);
  } else if (std::holds_alternative<wire::Drain>(message)) {
    sources_over_ = true;
  } else if (std::holds_alternative<wire::Ready>(message)) {
    parts_.on_ready();
  } else if (std::holds_alternative<wire::Drained>(message)) {
    all_drained_ = true;
    parts_.on_drained();
  } else {
    return false;
  }
  return true;
}

void Coordination::begin_end() {
  ++epoch_;
  member_in_work_ = true;
  if (parts_.stages == 0 || parts_.peers.workers() == 1)
    return parts_.member.end_epoch(epoch_);  // nothing is on its way between workers
  parts_.intake.pause();
  stage_ = 1;
  say_stage_over(0);
  parts_.peers.send_all(wire::Barrier{number(epoch_), stage_});
  advance();
}

bool Coordination::on_barrier(const wire::Barrier& barrier) {
  const bool is_near = barrier.epoch == number(epoch_) || barrier.epoch == number(epoch_ + 1);
  if (!is_near || barrier.stage == 0 || barrier.stage > parts_.stages + 1) return false;
  ++barriers_[barrier.epoch % 2][barrier.stage];
  advance();
  return true;
}

void Coordination::say_stage_over(std::uint32_t stage) {
  if (sources_over_ && parts_.on_stage_over) parts_.on_stage_over(stage);
}

void Coordination::advance() {
  std::vector<std::uint32_t>& barriers = barriers_[epoch_ % 2];
  while (stage_ != 0 && barriers[stage_] == parts_.peers.workers() - 1) {
    barriers[stage_] = 0;
    if (stage_ == parts_.stages + 1) {
      stage_ = 0;
      parts_.intake.resume();
      return end_when_free();
    }
    ++stage_;
    say_stage_over(stage_ - 1);
    // The barrier first: the member may take its time.
    parts_.peers.send_all(wire::Barrier{number(epoch_), stage_});
    if (stage_ == parts_.stages + 1) parts_.member.end_epoch(epoch_);
  }
}

}  // namespace machida::cluster
