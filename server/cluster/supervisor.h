// The process that starts the workers of one application, watches over them and ends with them.
// Every two workers have a link, and each has one to the supervisor; the ends are inherited, so
// that nobody else can connect. Loop's thread, which must be the process's main thread.
//
// A worker that is killed takes the others with it: all start again, with a growing wait, from what
// is durable. Where nothing is, only that one is replaced, if it was ready: the others get links to
// the new one over their channels and go on. One that ends with status 0 has all drain. One that
// ends with another status wanted it so: the others are told (Failed), write what they have put out
// and end, and the application ends with that status. So a worker that loses a peer waits for what
// the supervisor does about it; its own end would hide the cause.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "server/cluster/kept_connections.h"
#include "server/cluster/link.h"
#include "server/cluster/mesh.h"
#include "server/cluster/reception.h"
#include "server/cluster/restart_policy.h"
#include "server/cluster/worker_start.h"
#include "server/metrics/counter.h"
#include "server/uv/child.h"
#include "server/uv/loop.h"
#include "server/uv/stop_signal.h"
#include "server/uv/timer.h"

namespace machida::cluster {

struct SupervisorOptions {
  std::uint32_t workers = 1;
  std::string application;                 // told in Hello
  std::string program = "/proc/self/exe";  // this one, also when it was replaced on disk
  // The whole command line of a worker, with the name it is called by.
  std::function<std::vector<std::string>(const WorkerStart&)> arguments;
  std::vector<Reception::Door> doors = {};    // where clients come in, when all workers are ready
  std::optional<Turns> turns = std::nullopt;  // of those who have clients already
  // By worker: what they go on with at the first start. At another there is nothing: the workers
  // that had them have died.
  std::vector<KeptConnections> kept = {};
  // Before all workers start, each time: nothing of theirs is in use. What it throws ends run().
  std::function<void()> before_start = nullptr;
  // All workers have said Ready, each time.
  std::function<void()> on_ready = nullptr;
  // A worker that is killed is replaced when all were ready; otherwise all start again.
  bool replace_killed = false;
  // How long workers may take to end when one has failed, or when a stop has to wait for one that
  // is replaced; then they are killed.
  std::uint64_t end_patience_ms = 35'000;
  // What a worker says on its control link, after the supervisor has dealt with it.
  std::function<void(std::uint32_t index, const wire::LinkMessage&)> on_message = nullptr;
};

class Supervisor final : public LinkEvents {
 public:
  static constexpr const char* kDeaths = "machida_cluster_worker_deaths_total";
  static constexpr const char* kReplaced = "machida_cluster_workers_replaced_total";
  static constexpr const char* kStarts = "machida_cluster_starts_total";

  Supervisor(uv::Loop& loop, SupervisorOptions options, metrics::Registry& metrics);
  ~Supervisor() override;

  // Until all workers have ended for good. Returns the process's exit status: of the first that
  // failed, 128 + the signal for one that was killed.
  int run();

  // The first SIGTERM or SIGINT, or a worker's Drain: all are told and end by themselves.
  void drain();
  // The same, and those that drain well give their connections to kept().
  void drain_and_keep();
  // After run(): by worker. Nothing when a worker has not ended well.
  std::vector<KeptConnections> kept();
  // All workers are ready, and none is to end.
  bool running() const noexcept { return phase_ == Phase::kRunning && ready_ == options_.workers; }
  // Whether a signal or a worker wanted it, not only who called drain().
  bool stop_wanted() const noexcept { return stop_wanted_; }
  // The second: all are killed at once.
  void kill_all(int signal);

 private:
  enum class Phase { kRunning, kReplacing, kRestarting, kWaiting, kDraining, kStopping, kStopped };
  struct Seat;  // one worker's place, filled anew at every start

  void start_all();
  void start_next();
  // Starts another process in the place of the worker that was killed; empty, or why not.
  std::string replace();
  std::string start(std::uint32_t index, Mesh& mesh);  // empty, or why not
  // Adds what the worker goes on with to what it inherits. Returns why it can't, or "".
  std::string give_kept(const KeptConnections& kept, WorkerStart& start, uv::Descriptor& list,
                        std::map<int, int>& descriptors) const;
  void on_exit(Seat& seat, const uv::ChildExit& exit);
  void on_exit_while_running(Seat& seat, const uv::ChildExit& exit);
  void replace_or_give_up(Seat& seat, const std::string& why, int code);
  void restart_or_give_up(const std::string& why, int code);
  // How long to wait before the next start; nothing: the application has ended.
  std::optional<std::uint64_t> wait_after_death(const std::string& why, int code);
  void on_worker_ready();
  bool give_client(std::uint32_t worker, std::uint32_t pipeline, int client);
  void stop(int code);
  // As stop(), but the workers end by themselves.
  void end(const std::string& why, int code);
  void tell_all(const wire::LinkMessage& message);
  void kill_rest();
  void on_end_late();
  void look_whether_all_ended();

  void on_messages(Link& from, std::span<const wire::LinkMessage> messages) override;
  void on_lost(Link& link, const std::string& why) override;

  uv::Loop& loop_;
  SupervisorOptions options_;
  Reception reception_;
  metrics::Registry& metrics_;
  metrics::Counter& deaths_;
  metrics::Counter& starts_;
  metrics::Counter& replaced_;
  RestartPolicy policy_;
  std::vector<std::unique_ptr<Seat>> seats_;  // by index
  uv::Timer next_start_;
  uv::Timer end_late_;
  uv::StopSignal stop_signal_;
  Phase phase_ = Phase::kStopped;
  std::uint64_t wait_ms_ = 0;  // before the next start
  int status_ = 0;             // of the first that failed
  bool stop_wanted_ = false;
  std::uint32_t ready_ = 0;   // workers, since all started
  std::uint32_t killed_ = 0;  // the worker that is to be replaced
  bool drain_waits_ = false;  // for the replacement
};

}  // namespace machida::cluster
