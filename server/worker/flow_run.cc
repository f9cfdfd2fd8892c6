#include "server/worker/flow_run.h"

#include <algorithm>
#include <exception>
#include <utility>
#include <variant>

#include "server/checkpoint/epochs.h"
#include "server/uv/stop_line.h"

namespace machida::worker {
namespace {

using embed::Gil;

constexpr std::int64_t kShareOfTurnUs = 2'000;
constexpr std::int64_t kWaitMaxMs = 24 * 3600 * 1000;  // looked at again then
constexpr std::int64_t kIdleEpochUs = 1'000'000;       // of rounds that found no items
constexpr std::int64_t kSignalWaitUs = 100'000;        // where no signal ends a wait

// What all processes of a dataflow must have in common.
std::string name_of(const plan::Dataflow& plan, bool keeps) {
  std::string name = keeps ? "dataflow with recovery:" : "dataflow without recovery:";
  for (const plan::StreamSpec& stream : plan.streams) {
    name += " " + stream.input_id;
    for (const plan::FlowStep& step : stream.steps)
      std::visit([&name](const auto& spec) { name += " " + spec.id; }, step);
  }
  return name;
}

std::string process_text(std::uint32_t process) {
  return "process " + std::to_string(process) + " of the dataflow";
}

// Notes when an exception leaves its scope.
class Failing {
 public:
  explicit Failing(bool& failed) : failed_(failed), before_(std::uncaught_exceptions()) {}
  ~Failing() {
    if (std::uncaught_exceptions() > before_) failed_ = true;
  }
  Failing(const Failing&) = delete;
  Failing& operator=(const Failing&) = delete;

 private:
  bool& failed_;
  int before_;
};

}  // namespace

FlowRun::FlowRun(const Gil& gil, const plan::Dataflow& plan, FlowOptions options,
                 flow::DeadLetters& failures, metrics::Registry& metrics,
                 std::optional<FlowKeeping::How> keeping)
    : plan_(plan),
      failures_(failures),
      epochs_total_(metrics.counter(checkpoint::Epochs::kEpochs)),
      options_(std::move(options)),
      next_turn_(loop_, [this] { turn(); }),
      wake_(loop_, [this] { turn(); }),
      peers_(loop_, intake_, options_.seats, options_.links, name_of(plan, keeping.has_value()),
             metrics,
             {.on_message =
                  [this](const Gil& held, std::uint32_t from, const wire::LinkMessage& message) {
                    on_message(held, from, message);
                  },
              .on_read =
                  [this] {
                    if (started_) next_turn_.ask();
                  },
              .on_lost = [this](std::uint32_t process,
                                const std::string& why) { on_lost(process, why); }}),
      keeping_(peers_, options_.seats, std::move(keeping)),
      links_(peers_, flow::BatchCodec(embed::Pickling(gil), failures)),
      partitions_(peers_, options_.seats),
      streams_(gil, {.plan = plan,
                     .seats = options_.seats,
                     .links = options_.seats.processes > 1 ? &links_ : nullptr,
                     .failures = failures,
                     .metrics = metrics,
                     .time = time_,
                     .epoch = epoch_}),
      ends_(streams_, peers_) {
  intake_.watch([this] {
    if (!intake_.paused()) next_turn_.ask();
  });
}

// The loop waits for the store before it goes, and calls back here.
FlowRun::~FlowRun() {
  *alive_ = false;
  keeping_.give_up();
}

FlowRun::End FlowRun::run() {
  try {
    if (options_.signals != FlowOptions::Signals::kLeave)
      stop_signal_.emplace(
          loop_,
          [this] {
            signal_ = stop_signal_->number();
            draining_ = true;
            if (uv::StopLine* line = uv::StopLine::here()) line->tell();
            peers_.send_all(wire::Drain{});
            next_turn_.ask();
          },
          options_.signals == FlowOptions::Signals::kDrain ? [](int) {}
                                                           : std::function<void(int)>(),
          options_.stop_signals);
    {
      const embed::GilLock gil;
      if (options_.on_main_thread) {
        signal_handlers_.emplace(gil, failures_);
        signal_came_.emplace(loop_, signal_handlers_->descriptor(),
                             [this] { run_signal_handlers(); });
      }
      begin(gil);
    }
    loop_.run();
  } catch (...) {
    const std::string text = failure_text();
    peers_.send_all(wire::Failed{text});
    peers_.flush();
    const embed::GilLock gil;
    streams_.close(gil);
    throw;
  }
  return end_.value_or(End::kFinished);
}

// What the others are told of the exception that is being handled.
std::string FlowRun::failure_text() const {
  const std::string own = process_text(options_.seats.process) + " has failed: ";
  try {
    throw;
  } catch (const PeerFailed& error) {
    return error.what();
  } catch (const std::exception& error) {
    return own + error.what();
  } catch (...) {
    return own + "unknown";
  }
}

void FlowRun::begin(const Gil& gil) {
  // Everything before the first partition is built, which needs what was restored.
  keeping_.begin(gil, streams_.states());
  partitions_.list(streams_.list_partitions(gil));
  if (options_.seats.process != 0) return;  // process 0 says what was stored, and who has what
  newest_epoch_ = keeping_.restore_all(gil);
  if (partitions_.all_listed()) share_out(gil);
}

void FlowRun::share_out(const Gil& gil) {
  partitions_.share_out();
  peers_.send_all(wire::Restored{newest_epoch_});
  start(gil, newest_epoch_);
}

void FlowRun::start(const Gil& gil, std::uint64_t newest_epoch) {
  keeping_.restored();
  epoch_ = newest_epoch + 1;
  streams_.agree_on_partitions(gil, partitions_.take_agreed());
  streams_.build_parts(gil);
  epoch_began_us_ = time_.now_us();
  coordination_.emplace(
      cluster::Coordination::Parts{.peers = peers_,
                                   .intake = intake_,
                                   .member = *this,
                                   .stages = streams_.stages(),
                                   .newest_epoch = static_cast<std::int64_t>(newest_epoch),
                                   .on_ready =
                                       [this] {
                                         started_ = true;
                                         next_turn_.ask();
                                       },
                                   .on_drained =
                                       [this] {
                                         const embed::GilLock held;
                                         finish(held, draining_ ? End::kDrained : End::kFinished);
                                       }});
  coordination_->ready();
}

// Nothing new comes into the steps while an epoch ends or a link is full. Where each round is an
// epoch, the next round waits for its end.
bool FlowRun::may_read() const {
  return !draining_ && !sources_ended_ && !intake_.paused() &&
         !(end_wanted_ && options_.epoch_interval_us == 0);
}

void FlowRun::turn() {
  if (end_ || failed_ || !started_) return;
  const Failing failing(failed_);
  const embed::GilLock gil;
  if (signal_handlers_) signal_handlers_->run(gil);
  if (draining_) return sources_ended();
  const std::int64_t began_us = time_.now_us();
  std::int64_t now_us = began_us;
  while (may_read() && round(gil, now_us)) {
    if (end_) return;
    if (now_us - began_us > kShareOfTurnUs) return next_turn_.ask();
  }
  if (end_) return;
  look_whether_epoch_is_over(false, now_us);
  if (may_read() && ends_.all_ended()) sources_ended();
  if (!end_) wait(gil);
}

// Whether there was something to do. `now_us` is now, before and after: in batches of one it would
// be felt if everything here asked the clock for itself.
bool FlowRun::round(const Gil& gil, std::int64_t& now_us) {
  bool busy = false;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (ends_.ended(i)) continue;
    const FlowStreams::Polled polled = streams_.poll(gil, i, now_us);
    if (polled == FlowStreams::Polled::kAbort) {
      peers_.send_all(wire::Failed{""});
      finish(gil, End::kAborted);
      return true;
    }
    busy = busy || polled == FlowStreams::Polled::kSomething;
  }
  bool more = streams_.run_due(gil, now_us);
  more = ends_.advance(gil) || more;
  more = look_whether_epoch_is_over(busy, now_us) || more;
  if (more) now_us = time_.now_us();
  return busy;
}

// Process 0 has the clock; where each round is an epoch, each process ends those with its rounds,
// those that were only asked in vain together.
// Whether it was: its end may have taken long.
bool FlowRun::look_whether_epoch_is_over(bool busy, std::int64_t now_us) {
  const std::int64_t took_us = now_us - epoch_began_us_;
  const bool over = has_clock() ? took_us >= options_.epoch_interval_us
                                : options_.epoch_interval_us == 0 &&
                                      (busy || (took_us >= kIdleEpochUs && streams_.moved()));
  if (!over || end_wanted_) return false;
  end_wanted_ = true;
  coordination_->want_end();
  return true;
}

void FlowRun::sources_ended() {
  if (std::exchange(sources_ended_, true)) return;
  coordination_->sources_drained();
}

void FlowRun::run_signal_handlers() {
  if (end_ || failed_) return;
  const Failing failing(failed_);
  const embed::GilLock gil;
  signal_handlers_->empty_pipe();
  signal_handlers_->run(gil);
}

void FlowRun::wait(const Gil& gil) {
  const std::int64_t now_us = time_.now_us();
  std::int64_t until_us = now_us + kWaitMaxMs * 1000;
  if (has_clock() && !end_wanted_)
    until_us = std::min(until_us, epoch_began_us_ + options_.epoch_interval_us);
  if (may_read())
    if (const std::optional<std::int64_t> wake_us = streams_.next_wake_us())
      until_us = std::min(until_us, *wake_us);
  if (until_us <= now_us) return next_turn_.ask();
  if (signal_handlers_ && until_us - now_us > kSignalWaitUs && !signal_handlers_->wakes(gil))
    until_us = now_us + kSignalWaitUs;
  wake_.start(static_cast<std::uint64_t>((until_us - now_us + 999) / 1000));
}

void FlowRun::finish(const Gil& gil, End end) {
  end_ = end;
  streams_.close(gil);
  peers_.flush();
  // Whoever watches this process may pass on the signal that it has had already.
  if (stop_signal_ && options_.signals == FlowOptions::Signals::kDrain)
    stop_signal_->ignore_later();
  loop_.stop();
}

void FlowRun::on_message(const Gil& gil, std::uint32_t from, const wire::LinkMessage& message) {
  if (end_ || failed_) return;
  const Failing failing(failed_);
  if (const auto* failed = std::get_if<wire::Failed>(&message)) {
    if (failed->text.empty()) return finish(gil, End::kAborted);
    throw PeerFailed(std::string(failed->text));
  }
  if (!take(gil, from, message))
    throw PeerFailed(process_text(from) +
                     " says what makes no sense here: it runs another dataflow");
}

bool FlowRun::take(const Gil& gil, std::uint32_t from, const wire::LinkMessage& message) {
  if (const auto* batch = std::get_if<wire::Batch>(&message)) return streams_.receive(gil, *batch);
  if (const auto* ended = std::get_if<wire::Ended>(&message)) return ends_.on_ended(*ended);
  if (const auto* state = std::get_if<wire::KeptState>(&message)) return keeping_.take(gil, *state);
  if (const auto* restored = std::get_if<wire::Restored>(&message)) {
    if (coordination_) return false;
    start(gil, restored->epoch);
    return true;
  }
  if (const auto* partition = std::get_if<wire::Partition>(&message))
    return partitions_.take(from, *partition);
  if (const auto* listed = std::get_if<wire::Listed>(&message)) {
    if (!partitions_.take(from, *listed)) return false;
    if (partitions_.all_listed()) share_out(gil);
    return true;
  }
  if (std::holds_alternative<wire::Drain>(message)) return draining_ = true;
  return coordination_ && coordination_->on_message(from, message);
}

// One that has ended behind the last epoch is no news; whether that was so, process 0 knows.
void FlowRun::on_lost(std::uint32_t process, const std::string& why) {
  if (end_ || failed_ || (sources_ended_ && process != cluster::Coordination::kCoordinator)) return;
  throw PeerFailed(process_text(process) + (why.empty() ? " is gone" : " is no peer: " + why));
}

void FlowRun::end_epoch(std::int64_t epoch) {
  const embed::GilLock gil;
  streams_.end_epoch(gil);
  if (keeping_.keeps()) keeping_.end_epoch(gil);
  epoch_ = static_cast<std::uint64_t>(epoch) + 1;
  epoch_began_us_ = time_.now_us();
  coordination_->stored(epoch);
}

// Every process has told process 0 what changed.
void FlowRun::commit(std::int64_t epoch) {
  keeping_.store(loop_, static_cast<std::uint64_t>(epoch), [this, alive = alive_, epoch] {
    if (*alive) coordination_->committed(epoch);
  });
}

void FlowRun::close(std::int64_t epoch) {
  epochs_total_.add();
  end_wanted_ = false;
  coordination_->closed(epoch);
  next_turn_.ask();
}

}  // namespace machida::worker
