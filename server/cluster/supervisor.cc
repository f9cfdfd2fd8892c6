#include "server/cluster/supervisor.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "server/base/check.h"
#include "server/base/log.h"

namespace machida::cluster {
namespace {

constexpr int kPatienceMs = 1000;  // a channel to a worker is never full

}  // namespace

struct Supervisor::Seat {
  Seat(Supervisor& owner, std::uint32_t number)
      : index(number), child(owner.loop_, [&owner, this](const uv::ChildExit& exit) {
          owner.on_exit(*this, exit);
        }) {}
  const std::uint32_t index;
  uv::Child child;
  std::unique_ptr<Link> link;  // null: lost
  std::unique_ptr<uv::ParcelReader> channel;
  KeptReceiver kept;
};

Supervisor::Supervisor(uv::Loop& loop, SupervisorOptions options, metrics::Registry& metrics)
    : loop_(loop),
      options_(std::move(options)),
      reception_(loop, options_.doors, options_.turns.value_or(Turns(options_.workers)),
                 [this](std::uint32_t worker, std::uint32_t pipeline, int client) {
                   return give_client(worker, pipeline, client);
                 }),
      metrics_(metrics),
      deaths_(metrics.counter(kDeaths)),
      starts_(metrics.counter(kStarts)),
      replaced_(metrics.counter(kReplaced)),
      next_start_(loop, [this] { start_next(); }),
      end_late_(loop, [this] { on_end_late(); }),
      stop_signal_(
          loop, [this] { stop_wanted_ = true, drain(); },
          [this](int signal) { kill_all(signal); }) {}

Supervisor::~Supervisor() = default;

int Supervisor::run() {
  MACHIDA_CHECK(::getpid() == ::gettid(), "workers die with the thread that started them");
  start_all();
  loop_.run();
  MACHIDA_CHECK(phase_ == Phase::kStopped, "the loop ran out of things to wait for");
  return status_;
}

void Supervisor::start_all() {
  phase_ = Phase::kRunning;
  status_ = 0;
  starts_.add();
  drain_waits_ = false;
  policy_.started(loop_.now_ms());
  seats_.clear();
  ready_ = 0;
  if (options_.before_start) options_.before_start();
  Result<Mesh> made = Mesh::make(options_.workers);
  std::string why = made ? "" : made.error();
  if (made) {
    Mesh mesh = *std::move(made);
    for (std::uint32_t i = 0; i < options_.workers && why.empty(); ++i) why = start(i, mesh);
  }
  options_.kept.clear();  // theirs: or a peer's end would go unseen while this process lives
  if (!why.empty()) restart_or_give_up(why, 1);
}

void Supervisor::start_next() {
  if (phase_ != Phase::kReplacing) return start_all();
  const std::string why = replace();
  if (!why.empty()) restart_or_give_up(why, 1);
}

std::string Supervisor::replace() {
  policy_.started(loop_.now_ms());
  Result<Mesh> made = Mesh::make(options_.workers);
  if (!made) return made.error();
  Mesh mesh = *std::move(made);
  for (const auto& seat : seats_) {
    if (seat->index == killed_) continue;
    const uv::Descriptor link = mesh.take_peer(seat->index, killed_);
    const int number = link.get();
    std::string why =
        uv::send_parcel(seat->channel->socket(), std::string(kNewPeer) + std::to_string(killed_),
                        {&number, 1}, kPatienceMs);
    if (!why.empty()) return "worker " + std::to_string(seat->index) + " is not told: " + why;
  }
  replaced_.add();
  --ready_;
  return start(killed_, mesh);
}

std::string Supervisor::start(std::uint32_t index, Mesh& mesh) {
  seats_.resize(std::max<std::size_t>(seats_.size(), index + 1));
  seats_[index] = std::make_unique<Seat>(*this, index);
  Seat& seat = *seats_[index];
  std::map<int, int> descriptors = mesh.descriptors_of(index);
  WorkerStart start{.index = index,
                    .control = Mesh::kControl,
                    .channel = Mesh::kChannel,
                    .peers = mesh.peers_of(index),
                    .supervisor = ::getpid(),
                    .kept = {}};
  uv::Descriptor list;
  if (index < options_.kept.size()) {
    std::string why = give_kept(options_.kept[index], start, list, descriptors);
    if (!why.empty()) return why;
  }
  const Result<pid_t> pid = seat.child.start({.path = options_.program,
                                              .argv = options_.arguments(start),
                                              .descriptors = std::move(descriptors)});
  if (!pid) return pid.error();
  log::debug("worker {} is process {}", index, *pid);
  const LinkEnds ends{.application = options_.application,
                      .workers = options_.workers,
                      .own = wire::Hello::kSupervisor,
                      .peer = index};
  seat.link = std::make_unique<Link>(loop_, *this, ends, mesh.take_control(index), metrics_);
  seat.channel = std::make_unique<uv::ParcelReader>(
      loop_, mesh.take_channel(index),
      [&seat](uv::Parcel parcel) { seat.kept.take(std::move(parcel)); });
  return {};
}

std::string Supervisor::give_kept(const KeptConnections& kept, WorkerStart& start,
                                  uv::Descriptor& list, std::map<int, int>& descriptors) const {
  if (kept.empty()) return {};
  Result<uv::Descriptor> written = write_list(kept);
  if (!written) return written.error();
  list = *std::move(written);
  start.kept = {.list = descriptors.rbegin()->first + 1,
                .first = descriptors.rbegin()->first + 2,
                .count = static_cast<int>(kept.size())};
  descriptors[start.kept.list] = list.get();
  for (const KeptConnection& connection : kept)
    descriptors[descriptors.rbegin()->first + 1] = connection.open.socket.get();
  return {};
}

void Supervisor::drain() {
  switch (phase_) {
    case Phase::kRunning:
      phase_ = Phase::kDraining;
      end_late_.stop();
      reception_.close();
      return tell_all(wire::Drain{});
    case Phase::kReplacing:
      if (!std::exchange(drain_waits_, true)) end_late_.start(options_.end_patience_ms);
      return;
    case Phase::kRestarting:
    case Phase::kWaiting:  // after a death: what was not durable is lost, and the status says so
      return stop(status_);
    case Phase::kDraining:
    case Phase::kStopping:
    case Phase::kStopped:
      return;
  }
}

void Supervisor::drain_and_keep() {
  reception_.close();  // what a worker was given comes before what it is told
  for (const auto& seat : seats_) {
    const std::string why =
        uv::send_parcel(seat->channel->socket(), kKeepConnections, {}, kPatienceMs);
    if (!why.empty())
      log::warn("the connections of worker {} will be closed: {}", seat->index, why);
  }
  drain();
}

std::vector<KeptConnections> Supervisor::kept() {
  std::vector<KeptConnections> out;
  if (status_ != 0) return out;
  for (const auto& seat : seats_) out.push_back(seat->kept.result());
  for (KeptConnection& client : reception_.release()) out.front().push_back(std::move(client));
  return out;
}

void Supervisor::kill_all(int signal) {
  if (phase_ == Phase::kStopped) return;
  log::warn("killing the workers: asked to stop for the second time");
  stop(128 + signal);
}

void Supervisor::stop(int code) {
  phase_ = Phase::kStopping;
  reception_.close();
  status_ = code;
  next_start_.stop();
  kill_rest();
  look_whether_all_ended();
}

void Supervisor::end(const std::string& why, int code) {
  phase_ = Phase::kStopping;
  status_ = code;
  reception_.close();
  next_start_.stop();
  end_late_.start(options_.end_patience_ms);
  tell_all(wire::Failed{why});
  look_whether_all_ended();
}

void Supervisor::tell_all(const wire::LinkMessage& message) {
  for (const auto& seat : seats_)
    if (seat->link && seat->child.running()) seat->link->send(message);
}

void Supervisor::kill_rest() {
  for (const auto& seat : seats_) seat->child.kill();
}

void Supervisor::on_exit(Seat& seat, const uv::ChildExit& exit) {
  log::debug("worker {} {}", seat.index, exit.text());
  seat.channel->take_all();
  if (phase_ == Phase::kRunning || phase_ == Phase::kReplacing)
    return on_exit_while_running(seat, exit);
  if (phase_ == Phase::kDraining) {
    const std::string what = "worker " + std::to_string(seat.index) + " " + exit.text();
    if (exit.code() != 0) log::error("{} while draining", what);
    if (exit.signal == 0 && exit.status != 0) return end(what, exit.status);
    if (status_ == 0) status_ = exit.code();
  }
  look_whether_all_ended();
}

void Supervisor::on_exit_while_running(Seat& seat, const uv::ChildExit& exit) {
  const std::string what = "worker " + std::to_string(seat.index) + " " + exit.text();
  if (exit.signal != 0 && options_.replace_killed && phase_ == Phase::kRunning &&
      ready_ == options_.workers && options_.workers > 1)
    return replace_or_give_up(seat, what, exit.code());
  if (exit.signal != 0) return restart_or_give_up(what, exit.code());
  if (exit.status != 0) {
    log::error("{}: stopping the others", what);
    return end(what, exit.status);
  }
  log::info("{}: draining the others", what);
  phase_ = Phase::kRunning;
  next_start_.stop();
  drain();
  look_whether_all_ended();
}

std::optional<std::uint64_t> Supervisor::wait_after_death(const std::string& why, int code) {
  deaths_.add();
  const std::optional<std::uint64_t> wait_ms = policy_.died(loop_.now_ms());
  if (wait_ms) return wait_ms;
  log::error("{}: giving up after {} deaths within {} s without progress", why,
             RestartPolicy::kDeathsMax, RestartPolicy::kWindowMs / 1000);
  stop(code);
  return std::nullopt;
}

void Supervisor::replace_or_give_up(Seat& seat, const std::string& why, int code) {
  const std::optional<std::uint64_t> wait_ms = wait_after_death(why, code);
  if (!wait_ms) return;
  log::warn(
      "{}: it starts again in {} ms, with fresh states; its states, what was under way to and from "
      "it and its connections are lost, the other workers go on",
      why, *wait_ms);
  phase_ = Phase::kReplacing;
  reception_.close();
  killed_ = seat.index;
  next_start_.start(*wait_ms);
}

void Supervisor::restart_or_give_up(const std::string& why, int code) {
  next_start_.stop();
  if (drain_waits_) {
    log::error("{}: stopping the others", why);
    return stop(code);
  }
  const std::optional<std::uint64_t> wait_ms = wait_after_death(why, code);
  if (!wait_ms) return;
  log::warn("{}: all {} workers start again in {} ms", why, options_.workers, *wait_ms);
  phase_ = Phase::kRestarting;
  reception_.close();
  status_ = code;
  wait_ms_ = *wait_ms;
  kill_rest();
  look_whether_all_ended();
}

void Supervisor::on_end_late() {
  log::error("the workers have not ended in time: killing them");
  if (phase_ == Phase::kReplacing) return stop(1);  // the new one waits for a sink, or user code
  kill_rest();
}

void Supervisor::look_whether_all_ended() {
  const auto running = [](const auto& seat) { return seat->child.running(); };
  if (std::any_of(seats_.begin(), seats_.end(), running)) return;
  if (phase_ == Phase::kRestarting) {
    phase_ = Phase::kWaiting;
    next_start_.start(wait_ms_);
  } else if (phase_ == Phase::kDraining || phase_ == Phase::kStopping) {
    phase_ = Phase::kStopped;
    end_late_.stop();
    loop_.stop();
  }
}

void Supervisor::on_messages(Link& from, std::span<const wire::LinkMessage> messages) {
  const std::uint32_t index = from.peer();
  for (const wire::LinkMessage& message : messages) {
    if (std::holds_alternative<wire::Committed>(message)) policy_.progressed();
    if (std::holds_alternative<wire::Drain>(message)) stop_wanted_ = true, drain();
    if (std::holds_alternative<wire::Ready>(message)) on_worker_ready();
    if (const auto* failed = std::get_if<wire::Failed>(&message))
      log::error("worker {}: {}", index, failed->text);
    if (options_.on_message) options_.on_message(index, message);
  }
}

void Supervisor::on_worker_ready() {
  if (++ready_ != options_.workers) return;
  if (phase_ == Phase::kReplacing) phase_ = Phase::kRunning;
  if (phase_ == Phase::kRunning) reception_.open();
  if (options_.on_ready) options_.on_ready();
  if (std::exchange(drain_waits_, false)) drain();
}

bool Supervisor::give_client(std::uint32_t worker, std::uint32_t pipeline, int client) {
  return uv::send_parcel(seats_[worker]->channel->socket(),
                         std::string(kClient) + std::to_string(pipeline), {&client, 1}, 0)
      .empty();
}

void Supervisor::on_lost(Link& link, const std::string& why) {
  const std::uint32_t index = link.peer();
  if (!why.empty()) {
    log::error("worker {} is no worker: {}", index, why);
    seats_[index]->child.kill();
  }
  seats_[index]->link.reset();
}

}  // namespace machida::cluster
