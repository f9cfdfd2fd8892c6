#include "server/worker/worker.h"

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "embed/error.h"
#include "server/base/check.h"
#include "server/base/log.h"
#include "server/flow/dead_letter_log.h"
#include "server/flow/late_items.h"
#include "server/flow/output_step.h"
#include "server/flow/unknown_keys.h"
#include "server/kafka/client.h"
#include "server/source/tcp_source.h"

namespace machida::worker {
namespace {

constexpr std::uint64_t kDrainLookMs = 5;
constexpr std::uint64_t kForsakenMs = 2000;  // what a worker that ends has said may be on its way

// Ends this worker's run as its own failure would.
class AnotherFailed : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

}  // namespace

Worker::Worker(const embed::Gil& gil, const plan::Plan& plan, const std::string& module,
               WorkerOptions options, flow::DeadLetters& dead_letters, metrics::Registry& metrics,
               std::function<void(const std::string&)> say)
    : plan_(plan),
      options_(std::move(options)),
      metrics_(metrics),
      journal_numbers_(plan),
      say_(std::move(say)),
      settlement_(loop_),
      rounds_(settlement_),
      stop_signal_(loop_, [this] { on_stop_wanted(); }),
      drain_look_(loop_, [this] { look_whether_drained(); }) {
  make_membership(gil, module, dead_letters);
  make_resilience(gil, module);
  make_sinks(gil, dead_letters);
  assembly_ = std::make_unique<Assembly>(gil, plan, options_.unknown_keys, dead_letters, metrics,
                                         *this, time_, membership_->seat());
  if (!assembly_->windows().empty())
    due_work_.emplace(loop_, intake_, time_, assembly_->pipelines());
  steps_ended_.resize(plan.pipelines.size());
  if (resilience_) {
    resilience_->restore(gil, *assembly_);
    membership_->begin(*assembly_, *resilience_, resilience_->newest_epoch(),
                       resilience_->closes_first());
  } else {
    membership_->begin(*assembly_, rounds_, 0, false);
    rounds_.agree_with(membership_->coordination());
  }
  make_sources(gil);
  take_over_connections();
}

void Worker::make_membership(const embed::Gil& gil, const std::string& module,
                             flow::DeadLetters& dead_letters) {
  membership_ = std::make_unique<Membership>(
      loop_, intake_, options_.seat, plan_.name,
      flow::BatchCodec(embed::Pickling::of_application(gil, module), dead_letters), metrics_,
      Membership::Calls{
          .on_ready = [this] { on_all_ready(); },
          .on_drain = [this] { drain(); },
          .on_failed =
              [this](std::string_view why) {
                if (!failed_) throw AnotherFailed(std::string(why));
              },
          .on_keep = [this] { keep_connections_ = true, drain(); },
          .on_client = [this](std::uint32_t pipeline,
                              uv::Descriptor client) { take_client(pipeline, std::move(client)); },
          .on_drained = [this] { drain_look_.start(1); },
          .on_peer_lost = [this](std::uint32_t worker) { on_peer_lost(worker); },
          .on_stage_over = options_.resilience.directory.empty() ? [this] { end_stage(); }
                                                                 : std::function<void()>()});
  sinks_room_.watch([this] { membership_->sinks_full(sinks_room_.paused()); });
}

void Worker::make_resilience(const embed::Gil& gil, const std::string& module) {
  const bool has_tcp_source = plan_.has_source<plan::TcpSourceSpec>();
  if (!options_.resilience.directory.empty()) {
    resilience_ = std::make_unique<Resilience>(gil, loop_, intake_, options_.resilience, plan_.name,
                                               module, options_.seat, has_tcp_source, metrics_);
    return;
  }
  if (options_.seat.index != 0) return;
  std::string lost = plan_.states.empty() ? "" : "all state";
  if (has_tcp_source) lost += std::string(lost.empty() ? "" : " and ") + "what was read over TCP";
  if (!lost.empty()) log::info("without --resilience-dir a crash loses {}", lost);
}

flow::Outlet& Worker::of_bytes(std::size_t pipeline, std::size_t sink) {
  return *tcp_sinks_.at({pipeline, sink});
}

flow::MessageOutlet& Worker::of_messages(std::size_t pipeline, std::size_t sink) {
  return *message_outlets_.at({pipeline, sink});
}

flow::RecordOutlet& Worker::of_records(std::size_t pipeline, std::size_t sink) {
  return *record_outlets_.at({pipeline, sink});
}

Worker::~Worker() { close_storage(); }

int Worker::run() {
  int status = 0;
  try {
    status = run_to_the_end();
  } catch (...) {
    close_storage();
    throw;
  }
  if (keep_connections_ && status == 0) hand_over_connections();
  close_storage();
  if (left_threads_ && status == 0) status = 1;
  log_summary();
  return status;
}

void Worker::close_storage() {
  if (storage_ && !storage_->close()) left_threads_ = true;
}

int Worker::run_to_the_end() {
  int status = 0;
  if (!reserve_sources()) return 1;
  {
    const embed::GilLock gil;
    handled_signals_.emplace(gil, loop_);
  }
  try {
    for (const auto& sink : sinks_) sink->open();
    status = run_loop();
  } catch (const flow::StopOnError& error) {
    log::error("{}: stopping (--on-error=stop)", error.what());
    status = 1;
  } catch (const kafka::KafkaError& error) {
    log::error("{}: stopping; offsets of what was not delivered are not committed", error.what());
    status = 1;
  } catch (const store::StoreError& error) {
    log::error("{}: stopping; a restart goes on behind the newest epoch", error.what());
    status = 1;
  } catch (const checkpoint::StateNotSaved& error) {
    log::error(
        "{}: stopping; a restart goes on behind the newest epoch, and the same records come again: "
        "change the application so that this state can be saved",
        error.what());
    status = 1;
  } catch (const AnotherFailed& another) {
    log::debug("stopping: {}", another.what());
  } catch (const embed::SystemExit& exit) {
    if (*exit.what()) log::error("the application ends: {}", exit.what());
    log::info("the application called sys.exit({})", exit.status());
    status = exit.status();
  }
  if (phase_ != Phase::kStopped) {  // the run was ended: what was put out is still written
    abandon();
    drain();
    const int drained = run_loop();
    if (status == 0) status = drained;
  }
  return status;
}

bool Worker::reserve_sources() const {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const std::string wrong = sources_[i]->reserve();
    if (wrong.empty()) continue;
    log::error("pipeline '{}': {}", plan_.pipelines[i].name, wrong);
    return false;
  }
  return true;
}

// What is half processed is in no epoch: a restart processes it again.
void Worker::abandon() {
  failed_ = true;
  intake_.pause();  // for good: a sink that has room again would wake sources that are gone
  membership_->abandon();
  settlement_.clear();
  rounds_.clear();
  sources_.clear();
  if (!resilience_) return;
  resilience_->abandon();
  if (storage_) storage_->close_sinks();
  std::erase_if(sinks_, [](const auto& sink) {
    return dynamic_cast<const flow::EpochSink*>(sink.get()) != nullptr;
  });
}

int Worker::run_loop() {
  loop_.run();
  MACHIDA_CHECK(phase_ == Phase::kStopped, "the loop ran out of things to wait for");
  return status_;
}

void Worker::on_sink_connected() {
  if (phase_ != Phase::kConnecting) return;
  for (const auto& sink : sinks_)
    if (!sink->connected()) return;
  phase_ = Phase::kWaiting;
  membership_->coordination().ready();
}

void Worker::on_all_ready() {
  // Again: another process has taken the place of one that was gone.
  if (phase_ == Phase::kRunning && std::exchange(peer_lost_ms_, std::nullopt)) intake_.resume();
  if (phase_ != Phase::kWaiting) return;
  phase_ = Phase::kRunning;
  if (!resilience_) return open_sources();
  resilience_->start(membership_->coordination());
  replay_journal();
}

void Worker::replay_journal() {
  resilience_->replay(
      [this](std::size_t number, std::span<const std::string_view> frames) {
        const std::optional<std::size_t> pipeline = journal_numbers_.pipeline_of(number);
        if (!pipeline) {
          if (!std::exchange(said_homeless_, true))
            log::warn(
                "what was journaled for pipelines that the application does not have any more is "
                "dropped");
          return;
        }
        const embed::GilLock gil;
        for (std::size_t at = 0; at < frames.size(); at += flow::kBatchRecordsMax)
          assembly_->pipelines()[*pipeline]->run_frames(
              gil, frames.subspan(at, std::min(flow::kBatchRecordsMax, frames.size() - at)));
      },
      [this] { open_sources(); });
}

void Worker::open_sources() {
  if (drain_wanted_ || options_.settle) return drain();
  if (due_work_) due_work_->start();
  for (std::size_t i = 0; i < sources_.size() && phase_ == Phase::kRunning; ++i)
    sources_[i]->open(
        [this, i](Result<std::vector<std::string>> lines) { on_source_open(i, lines); });
}

void Worker::on_source_open(std::size_t source, const Result<std::vector<std::string>>& lines) {
  if (!lines) {
    log::error("pipeline '{}': {}", plan_.pipelines[source].name, lines.error());
    return finish(1);
  }
  if (options_.seat.index == 0)
    for (const std::string& line : *lines) say_(line);
  if (++sources_open_ != sources_.size()) return;
  if (options_.seat.control < 0) say_("Application has successfully initialized.");
  membership_->tell_supervisor(wire::Ready{});
}

// With a supervisor, which tells all workers.
void Worker::on_stop_wanted() {
  if (options_.seat.control < 0) return drain();
  membership_->tell_supervisor(wire::Drain{});
}

// Records for it can't go anywhere: nothing more comes in until the supervisor has done something
// about it. One that has drained has no more to get.
void Worker::on_peer_lost(std::uint32_t worker) {
  log::debug("worker {} is gone", worker);
  if (!peer_lost_ms_) intake_.pause();
  peer_lost_ms_ = loop_.now_ms();
  if (phase_ == Phase::kWaiting && drain_wanted_) finish(0);
}

void Worker::drain() {
  if (phase_ == Phase::kDraining || phase_ == Phase::kStopped) return;
  if (phase_ == Phase::kConnecting) {
    log::info("stopping before the sources opened");
    return finish(0);
  }
  if (phase_ == Phase::kWaiting &&
      !failed_) {  // for workers that may be draining already, or be gone
    drain_wanted_ = true;
    if (peer_lost_ms_) finish(0);
    return;
  }
  phase_ = Phase::kDraining;
  if (due_work_) due_work_->stop();
  if (resilience_) resilience_->stop_replay();
  if (options_.seat.index == 0) log::info("draining: what was read is processed and written");
  drain_deadline_ms_ = loop_.now_ms() + options_.drain_timeout_ms;
  for (const auto& source : sources_) source->drain();
  look_whether_drained();
}

// A worker alone, without a store that would keep them.
void Worker::close_windows() {
  if (std::exchange(windows_closed_, true) || failed_ || resilience_) return;
  drain_look_.start(kDrainLookMs);  // also when user code ends the run here
  const embed::GilLock gil;
  for (const auto& pipeline : assembly_->pipelines()) pipeline->on_eof(gil);
}

// All records that reach the steps before the next exchange have come, in all workers.
void Worker::end_stage() {
  if (failed_) return;
  const embed::GilLock gil;
  for (std::size_t i = 0; i < steps_ended_.size(); ++i) {
    flow::Pipeline& pipeline = *assembly_->pipelines()[i];
    if (steps_ended_[i] < pipeline.steps())
      steps_ended_[i] = pipeline.end_stage(gil, steps_ended_[i]);
  }
}

bool Worker::sources_drained() const {
  return std::all_of(sources_.begin(), sources_.end(),
                     [](const auto& source) { return source->drained(); });
}

std::string Worker::undelivered() {
  std::string text;
  for (const auto& sink : sinks_)
    if (!sink->drained()) text += (text.empty() ? "" : ", ") + sink->undelivered();
  return text;
}

// What others had sent is processed too, and the last epoch is over.
bool Worker::all_closed() {
  if (failed_) return true;
  if (!options_.seat.alone() && !membership_->coordination().all_drained()) return false;
  return !resilience_ || resilience_->all_closed();
}

void Worker::look_whether_drained() {
  if (phase_ != Phase::kDraining) return;
  const bool sources_ended = sources_drained();
  if (sources_ended && options_.seat.alone()) close_windows();
  const std::string undelivered_text = undelivered();
  const bool closed = all_closed();
  if (sources_ended && undelivered_text.empty() && closed) return finish(0);
  if (sources_ended && !failed_) {
    if (!options_.seat.alone())
      membership_->coordination().sources_drained();
    else if (resilience_)
      resilience_->end_epoch_soon();
  }
  const bool forsaken = !closed && peer_lost_ms_ && loop_.now_ms() > *peer_lost_ms_ + kForsakenMs;
  if (!forsaken && loop_.now_ms() < drain_deadline_ms_) return drain_look_.start(kDrainLookMs);
  const char* why = forsaken ? "another worker is gone" : "not drained in time (--drain-timeout)";
  if (!undelivered_text.empty()) log::error("{}: dropped {}", why, undelivered_text);
  if (!sources_ended) log::error("{}: sources have not finished", why);
  if (!closed && (resilience_ || forsaken)) log::error("{}: the last epoch is not closed", why);
  finish(1);
}

void Worker::finish(int status) {
  phase_ = Phase::kStopped;
  status_ = status;
  membership_->flush();
  loop_.stop();
}

void Worker::log_summary() const {
  if (resilience_) resilience_->log_summary();
  const std::string late =
      due_work_ ? fmt::format(", late records: {}", metrics_.total(flow::LateItems::kCounter)) : "";
  log::info(
      "records in: {}, outputs: {}, dead letters: {}, unknown keys: {}, connections closed for bad "
      "input: {}{}",
      metrics_.total(flow::Pipeline::kCounter), metrics_.total(flow::OutputStep::kCounter),
      metrics_.total(flow::DeadLetterLog::kCounter), metrics_.total(flow::UnknownKeys::kCounter),
      metrics_.total(source::TcpSource::kBadConnections), late);
}

}  // namespace machida::worker
