// What a worker of a simulation does when: start, epochs, replay, drain.
#include <utility>

#include "tests/sim/worker.h"

namespace machida::sim {
namespace {

constexpr std::uint64_t kSoonUsMax = 100, kDrainLookUs = 5'000;

}  // namespace

void Worker::start() { transactions_->open(); }

void Worker::on_sinks_connected() {
  if (phase_ != Phase::kConnecting) return;
  phase_ = Phase::kWaiting;
  coordination_->ready();
}

void Worker::on_all_ready() {
  if (phase_ != Phase::kWaiting) return;
  phase_ = Phase::kRunning;
  start_epochs();
  if (!inputs_) return open_sources();
  inputs_->begin_replay(newest_.epoch.positions);
  note("replays", static_cast<std::int64_t>(inputs_->replay_left()));
  replaying_ = true;
  replay();
}

void Worker::start_epochs() {
  std::vector<flow::EpochSource*> sources{log_reader_.get()};
  if (inputs_) sources.push_back(inputs_.get());
  epochs_ = std::make_unique<checkpoint::Epochs>(
      checkpoint::Epochs::Parts{.store = *store_,
                                .journal = journal_.get(),
                                .rows = rows_,
                                .states = states_,
                                .sources = std::move(sources),
                                .deliveries = {connection_.get()},
                                .sinks = {transactions_.get()},
                                .surroundings = *this,
                                .accord = *coordination_,
                                .on_closed =
                                    [this] {
                                      note("an epoch is closed");
                                      if (seat_.workers > 1) tick_later();
                                    },
                                .unfinished = closes_first(),
                                .states_at_once = scenario_.states_at_once},
      newest_.epoch.number, newest_.epoch.positions, metrics_);
  tick_later();
  if (closes_first()) work_soon();
}

// Starts the time anew.
void Worker::tick_later() {
  scheduler_.after(scenario_.epoch_interval_us, [this, alive = alive_, number = ++ticks_] {
    if (*alive && number == ticks_) tick();
  });
}

void Worker::tick() {
  tick_later();
  if (inputs_) inputs_->try_again();
  if (seat_.workers == 1 || !epochs_->in_work())
    epochs_->end();
  else
    epochs_->work();
}

void Worker::end_epoch_soon() {
  end_soon_ = true;
  work_soon();
}

void Worker::work() {
  if (!epochs_ || phase_ == Phase::kStopped) return;
  if (std::exchange(end_soon_, false)) epochs_->end();
  epochs_->work();
}

void Worker::replay() {
  if (!replaying_) return;
  const bool more = inputs_->replay_some(
      [this](std::size_t pipeline, std::span<const std::string_view> frames) {
        const embed::GilLock gil;
        assembly_->pipelines()[pipeline]->run_frames(gil, frames);
      },
      [this] { return scheduler_.random().chance(scenario_.replay_goes_on_percent); });
  if (more) return later(scenario_.replay_delay_us_max, [this] { replay(); });
  replaying_ = false;
  open_sources();
}

void Worker::open_sources() {
  note("opens its sources");
  if (drain_wanted_ || seat_.settle) return drain();
  if (phase_ != Phase::kRunning) return;
  log_reader_->open();
  if (client_reader_) client_reader_->open();
}

void Worker::on_peer_lost() {
  if (!std::exchange(peer_lost_, true)) intake_.pause();
  if (phase_ == Phase::kWaiting && drain_wanted_) end();
}

void Worker::end() {
  note("has ended");
  phase_ = Phase::kStopped;
  *alive_ = false;  // what comes later comes to nobody
}

void Worker::drain() {
  if (phase_ == Phase::kDraining || phase_ == Phase::kStopped) return;
  if (phase_ == Phase::kConnecting) return end();
  if (phase_ == Phase::kWaiting) {
    drain_wanted_ = true;
    if (peer_lost_) end();
    return;
  }
  note("drains");
  phase_ = Phase::kDraining;
  replaying_ = false;  // a restart goes on with it
  log_reader_->drain();
  if (client_reader_) client_reader_->drain();
  look_whether_drained();
}

void Worker::look_whether_drained() {
  if (phase_ != Phase::kDraining) return;
  const bool agreed = seat_.workers == 1 || coordination_->all_drained();
  if (transactions_->drained() && connection_->drained() && agreed && epochs_->all_closed())
    return end();
  if (seat_.workers > 1)
    coordination_->sources_drained();
  else
    end_epoch_soon();
  later(kDrainLookUs, [this] { look_whether_drained(); });
}

}  // namespace machida::sim
