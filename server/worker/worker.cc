#include "server/worker/worker.h"

#include "embed/error.h"
#include "server/base/check.h"
#include "server/base/log.h"
#include "server/flow/dead_letter_log.h"
#include "server/flow/unknown_keys.h"

namespace machida::worker {
namespace {

constexpr std::uint64_t kDrainLookMs = 5;

}  // namespace

Worker::Worker(const embed::Gil& gil, const plan::Plan& plan, WorkerOptions options,
               flow::DeadLetters& dead_letters, metrics::Registry& metrics,
               std::function<void(const std::string&)> say)
    : plan_(plan),
      options_(options),
      metrics_(metrics),
      say_(std::move(say)),
      stop_signal_(loop_, [this] { drain(); }),
      drain_look_(loop_, [this] { look_whether_drained(); }) {
  for (const plan::PipelineSpec& pipeline : plan.pipelines) {
    first_sink_.push_back(sinks_.size());
    for (const plan::SinkSpec& sink : pipeline.sinks)
      sinks_.push_back(std::make_unique<sink::TcpSink>(loop_, intake_, sink.address, metrics,
                                                       [this] { on_sink_connected(); }));
  }
  assembly_ =
      std::make_unique<Assembly>(gil, plan, options.unknown_keys, dead_letters, metrics,
                                 [this](std::size_t pipeline, std::size_t sink) -> flow::Outlet& {
                                   return *sinks_[first_sink_[pipeline] + sink];
                                 });
  for (std::size_t i = 0; i < plan.pipelines.size(); ++i)
    sources_.push_back(std::make_unique<source::TcpSource>(
        loop_, *assembly_->pipelines()[i], intake_,
        framing_of(gil, plan.pipelines[i].source.decoder, options.frame_bytes_max), metrics));
}

Worker::~Worker() = default;

int Worker::run() {
  for (const auto& sink : sinks_) sink->open();
  int status = 0;
  try {
    status = run_loop();
  } catch (const flow::StopOnError& error) {
    log::error("{}: stopping (--on-error=stop)", error.what());
    status = 1;
  } catch (const embed::SystemExit& exit) {
    log::info("the application called sys.exit({})", exit.status());
    status = exit.status();
  }
  if (phase_ != Phase::kStopped) {  // user code ended the run: what it had put out is still written
    sources_.clear();
    drain();
    const int drained = run_loop();
    if (status == 0) status = drained;
  }
  log_summary();
  return status;
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
  open_sources();
}

void Worker::open_sources() {
  phase_ = Phase::kRunning;
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const Result<std::vector<uv::Address>> opened =
        sources_[i]->open(plan_.pipelines[i].source.address);
    if (!opened) {
      log::error("pipeline '{}': {}", plan_.pipelines[i].name, opened.error());
      return finish(1);
    }
    for (const uv::Address& at : *opened)
      say_(fmt::format("listening on {} (pipeline \"{}\")", at.text(), plan_.pipelines[i].name));
  }
  say_("Application has successfully initialized.");
}

void Worker::drain() {
  if (phase_ == Phase::kDraining || phase_ == Phase::kStopped) return;
  if (phase_ == Phase::kConnecting) {
    log::info("stopping before the sources opened");
    return finish(0);
  }
  phase_ = Phase::kDraining;
  log::info("draining: what was read is processed and written");
  drain_deadline_ms_ = loop_.now_ms() + options_.drain_timeout_ms;
  for (const auto& source : sources_) source->drain();
  look_whether_drained();
}

void Worker::look_whether_drained() {
  bool drained = true;
  for (const auto& source : sources_) drained = drained && source->drained();
  std::size_t undelivered_bytes = 0;
  for (const auto& sink : sinks_)
    if (!sink->drained()) undelivered_bytes += sink->undelivered_bytes();
  if (drained && undelivered_bytes == 0) return finish(0);
  if (loop_.now_ms() < drain_deadline_ms_) return drain_look_.start(kDrainLookMs);
  log::error("not drained in time (--drain-timeout): {} bytes of output are dropped{}",
             undelivered_bytes, drained ? "" : ", and records that were read but not processed");
  finish(1);
}

void Worker::finish(int status) {
  phase_ = Phase::kStopped;
  status_ = status;
  loop_.stop();
}

void Worker::log_summary() const {
  log::info(
      "records in: {}, outputs: {}, dead letters: {}, unknown keys: {}, connections closed for bad "
      "input: {}",
      metrics_.total(flow::Pipeline::kCounter), metrics_.total(flow::EncodeStep::kCounter),
      metrics_.total(flow::DeadLetterLog::kCounter), metrics_.total(flow::UnknownKeys::kCounter),
      metrics_.total(source::TcpSource::kBadConnections));
}

}  // namespace machida::worker
