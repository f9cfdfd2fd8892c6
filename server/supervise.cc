#include "server/supervise.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

#include "server/admin.h"
#include "server/base/log.h"
#include "server/cluster/supervisor.h"
#include "server/inquiry.h"
#include "server/metrics/counter.h"
#include "server/seat_text.h"
#include "server/store/go_back.h"
#include "server/store/hash_seed.h"
#include "server/store/identity.h"
#include "server/store/layout.h"
#include "server/store/store.h"
#include "server/uv/bound_socket.h"
#include "server/uv/child.h"
#include "server/uv/loop.h"
#include "server/uv/stop_signal.h"
#include "server/uv/timer.h"

namespace machida {
namespace {

constexpr int kFailed = 1;
constexpr int kKilled = 128;            // and above: by a signal
constexpr std::uint64_t kEndMs = 5000;  // what a worker's end may take besides its drain

void say(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

// The supervisor's view of one application.
class Application {
 public:
  Application(const Options& options, std::vector<std::string> argv)
      : options_(options), argv_(std::move(argv)) {
    const worker::ResilienceOptions& resilience = options_.worker.resilience;
    if (options_.external && !listen(admin_.listen_at(*options_.external))) return;
    if (resilience.directory.empty()) return;
    directory_.emplace(resilience.directory, store::Directory::Access::kServe);
    store::finish_change(*directory_);
    store::identity_of(*directory_);  // made before the workers ask for it
    store::warn_of_hash_seed(*directory_, resilience.hash_seed);
    listen(admin_.listen_in(directory_->path()));
  }

  ~Application() { uv::ignore_stop_signals(); }
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  int run() {
    if (!can_be_asked_) return kFailed;
    const Result<Facts> facts = inquire(argv_);
    if (!facts) {
      log::error("{}", facts.error());
      return kFailed;
    }
    if (facts->status != 0) return facts->status;
    name_ = facts->name;
    has_states_ = facts->has_states;
    // Behind committed offsets a restart of all loses nothing; other sources can't go back.
    replace_killed_ = !directory_ && !facts->has_kafka_sources;
    if (const std::string wrong = bind(*facts); !wrong.empty()) {
      log::error("{}", wrong);
      return kFailed;
    }
    std::uint32_t workers = options_.workers;
    for (;;) {
      // Between two sets of workers nobody listens to signals: they wait.
      between_.emplace();
      if (directory_)
        if (const int status = change_workers(workers); status != 0) return status;
      if (stop_wanted_ || uv::SignalsWait::waiting()) {
        log::info("stopped before the workers started");
        return 0;
      }
      const int status = run_workers(workers, SeatText::Task::kWork);
      if (!scale_to_) return status;
      workers = *std::exchange(scale_to_, std::nullopt);
      // What a killed one has left is brought to its end before the change.
      if (status != 0 && status <= kKilled) {
        admin_.done("the workers did not end well", true);
        return status;
      }
    }
  }

 private:
  // `wrong`: what keeps it from being asked, or "".
  bool listen(const std::string& wrong) {
    if (!wrong.empty()) log::error("{}", wrong);
    can_be_asked_ = can_be_asked_ && wrong.empty();
    return wrong.empty();
  }
  std::string bind(const Facts& facts);
  int change_workers(std::uint32_t wanted);
  int run_workers(std::uint32_t workers, SeatText::Task task);
  // Why not, or "".
  std::string scale(cluster::Supervisor& running, SeatText::Task task, std::uint32_t workers,
                    std::uint32_t wanted);
  void make_stores_agree(std::uint32_t workers);
  std::vector<std::string> argv_with(const SeatText& seat) const;

  const Options& options_;
  const std::vector<std::string> argv_;
  metrics::Registry metrics_;
  std::optional<store::Directory> directory_;
  std::string name_;
  struct Listener {
    std::uint32_t pipeline;
    std::string pipeline_name;
    uv::BoundSocket bound;
  };
  std::vector<Listener> listeners_;
  std::optional<std::int64_t> resume_epoch_;
  bool said_ready_ = false;
  Admin admin_;
  bool can_be_asked_ = true;  // the addresses for it could be had
  bool has_states_ = false;
  bool replace_killed_ = false;
  std::optional<std::uint32_t> scale_to_;  // behind the end of the workers that run
  bool stop_wanted_ = false;               // while they ran
  bool settled_ = false;  // the last ones have left nothing to be brought to an end
  std::vector<cluster::KeptConnections> kept_;  // of the last ones, by worker
  std::optional<uv::SignalsWait> between_;      // two sets of workers
};

std::vector<std::string> Application::argv_with(const SeatText& seat) const {
  std::vector<std::string> argv = argv_;
  argv.insert(argv.begin() + 1, {SeatText::kWord, seat.text()});
  return argv;
}

std::string Application::bind(const Facts& facts) {
  for (const Facts::Address& address : facts.addresses) {
    Result<std::vector<uv::BoundSocket>> bound = uv::bind_all(address.at);
    if (!bound)
      return "pipeline '" + address.pipeline_name + "': " + address.at.text() +
             " can't be listened on: " + bound.error();
    std::vector<uv::BoundSocket> sockets = *std::move(bound);
    for (uv::BoundSocket& socket : sockets)
      listeners_.push_back(
          {static_cast<std::uint32_t>(address.pipeline), address.pipeline_name, std::move(socket)});
  }
  return {};
}

// The epoch that all stores have is where all go on. A store may be one ahead: that epoch was never
// committed.
void Application::make_stores_agree(std::uint32_t workers) {
  if (!directory_) return;
  std::vector<std::int64_t> newest;
  for (std::uint32_t i = 0; i < workers; ++i) {
    const int worker = static_cast<int>(i);
    if (options_.worker.resilience.accept_damage) {
      const store::Store store(*directory_, worker, name_, store::Damage::kAcceptOlder);
      if (!store.warning().empty()) {
        log::warn("{}", store.warning());
        store::renew_identity(*directory_);
      }
    }
    newest.push_back(store::newest_epoch(*directory_, worker));
  }
  const Result<std::int64_t> common =
      store::common_epoch(newest, options_.worker.resilience.accept_damage);
  if (!common) throw store::StoreError(directory_->path() + ": " + common.error());
  resume_epoch_ = *common;
  for (std::uint32_t i = 0; i < workers; ++i) {
    if (newest[i] == *resume_epoch_) continue;
    const bool loses = newest[i] > *resume_epoch_ + 1;
    log::write(loses ? log::Level::kWarn : log::Level::kInfo,
               "worker {} goes back from epoch {} to {}, which all workers have", i, newest[i],
               *resume_epoch_);
    store::go_back(*directory_, static_cast<int>(i), name_, *resume_epoch_);
  }
}

int Application::run_workers(std::uint32_t workers, SeatText::Task task) {
  uv::Loop loop;
  cluster::SupervisorOptions supervisor{.workers = workers, .application = name_, .arguments = {}};
  supervisor.replace_killed = replace_killed_;
  supervisor.end_patience_ms = options_.worker.drain_timeout_ms + kEndMs;
  if (task == SeatText::Task::kWork) {
    supervisor.kept = cluster::deal(std::exchange(kept_, {}), supervisor.turns.emplace(workers));
    for (const Listener& listener : listeners_)
      supervisor.doors.push_back(
          {listener.pipeline, listener.bound.socket.get(), listener.bound.address.text()});
  }
  supervisor.arguments = [this, task, workers](const cluster::WorkerStart& start) {
    return argv_with({.task = task,
                      .supervisor = start.supervisor,
                      .seat = {.index = start.index,
                               .workers = workers,
                               .control = start.control,
                               .channel = start.channel,
                               .kept = start.kept,
                               .peers = start.peers},
                      .resume_epoch = resume_epoch_});
  };
  supervisor.before_start = [this, workers, starts = 0]() mutable {
    if (starts++ > 0 && !directory_)
      log::warn(
          "without --resilience-dir the states of all workers are lost, and what was read over TCP "
          "and not delivered; Kafka sources go on from the offsets that were committed");
    make_stores_agree(workers);
  };
  supervisor.on_ready = [this, workers] {
    log::info("{} workers are ready", workers);
    admin_.done(fmt::format("{} workers are running", workers));
    if (std::exchange(said_ready_, true)) return;
    for (const Listener& listener : listeners_)
      say(fmt::format("listening on {} (pipeline \"{}\")", listener.bound.address.text(),
                      listener.pipeline_name));
    say("Application has successfully initialized.");
  };
  cluster::Supervisor running(loop, std::move(supervisor), metrics_);
  const Admin::Watches watches =
      admin_.watch(loop, [this, &running, task, workers](std::uint32_t wanted) {
        return scale(running, task, workers, wanted);
      });
  between_.reset();  // the supervisor listens to signals
  const int status = running.run();
  between_.emplace();
  if (scale_to_) {
    settled_ = status == 0;
    kept_ = running.kept();
  }
  stop_wanted_ = running.stop_wanted();
  if (stop_wanted_) scale_to_.reset();
  return status;
}

std::string Application::scale(cluster::Supervisor& running, SeatText::Task task,
                               std::uint32_t workers, std::uint32_t wanted) {
  if (wanted > kWorkersMax) return fmt::format("at most {} workers are possible", kWorkersMax);
  if (task != SeatText::Task::kWork || !running.running())
    return "the workers are being started, changed or stopped: ask later";
  if (!directory_ && has_states_) return "without --resilience-dir the states would be lost";
  if (wanted == workers) return fmt::format("{} workers are running already", workers);
  log::info("{} workers are wanted in place of {}", wanted, workers);
  scale_to_ = wanted;
  running.drain_and_keep();
  return {};
}

// What the old workers had begun they bring to its end; then their states find new owners.
int Application::change_workers(std::uint32_t wanted) {
  const std::uint32_t old = store::workers_of_layout(*directory_);
  if (old == 0) store::write_layout(*directory_, wanted);
  if (old == 0 || old == wanted) return 0;
  log::info("{} is the directory of {} workers: its states go to {}", directory_->path(), old,
            wanted);
  if (!std::exchange(settled_, false)) {
    const int status = run_workers(old, SeatText::Task::kSettle);
    if (status != 0 || stop_wanted_) return status;  // the directory stays that of the old ones
  }
  SeatText seat{.task = SeatText::Task::kReshard, .supervisor = ::getpid()};
  seat.seat.workers = wanted;
  seat.old_workers = old;
  uv::Loop loop;
  uv::ChildExit exit;
  uv::Child child(loop, [&exit](const uv::ChildExit& how) { exit = how; });
  const Result<pid_t> started =
      child.start({.path = "/proc/self/exe", .argv = argv_with(seat), .descriptors = {}});
  if (!started) {
    log::error("{}", started.error());
    return kFailed;
  }
  loop.run();
  if (exit.code() != 0) {
    log::error("the states of {} workers could not be given to {}: the process for it {}", old,
               wanted, exit.text());
    return exit.code();
  }
  store::finish_change(*directory_);
  return 0;
}

}  // namespace

int supervise(const Options& options, const std::vector<std::string>& argv) {
  return Application(options, argv).run();
}

bool needs_supervisor(const Options& options) {
  if (options.workers > 1) return true;
  const std::string& path = options.worker.resilience.directory;
  if (options.workers_given && (!path.empty() || options.external)) return true;
  if (path.empty() || !std::filesystem::is_directory(path)) return false;
  const store::Directory directory(path, store::Directory::Access::kInspect);
  return store::is_changing(directory) || store::workers_of_layout(directory) > 1;
}

int follow() {
  log::info(
      "the process that was started as the initializer runs all workers of the application on this "
      "machine; this one only waits to be stopped");
  uv::Loop loop;
  uv::StopSignal stop(loop, [&loop] { loop.stop(); });
  uv::Timer forever(loop, [] {});
  constexpr std::uint64_t kFarMs = 1ull << 50;
  forever.start(kFarMs);
  loop.run();
  return 0;
}

}  // namespace machida
