#include "tests/unit/cluster/roles.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <set>

#include "server/uv/loop.h"

namespace machida::tests {
namespace {

using cluster::Link;

constexpr const char* kApplication = "roles";

class Worker final : public cluster::LinkEvents {
 public:
  Worker(uv::Loop& loop, const cluster::WorkerStart& start, std::string behaviour)
      : loop_(loop), behaviour_(std::move(behaviour)) {
    const auto workers = static_cast<std::uint32_t>(start.peers.size());
    const auto connect = [&](std::uint32_t peer, int fd) {
      return std::make_unique<Link>(loop, *this,
                                    cluster::LinkEnds{kApplication, workers, start.index, peer},
                                    uv::Descriptor(fd), metrics_);
    };
    control_ = connect(wire::Hello::kSupervisor, start.control);
    for (std::uint32_t peer = 0; peer < workers; ++peer) {
      if (start.peers[peer] < 0) continue;
      silent_.insert(peer);
      peers_.push_back(connect(peer, start.peers[peer]));
      peers_.back()->send(wire::Stored{start.index});
    }
    look_whether_all_spoke();
  }
  int status() const { return status_; }

 private:
  void on_messages(Link& from, std::span<const wire::LinkMessage> messages) override {
    for (const wire::LinkMessage& message : messages) {
      if (const auto* stored = std::get_if<wire::Stored>(&message)) {
        if (stored->epoch != from.peer()) return end(1);
        silent_.erase(from.peer());
        look_whether_all_spoke();
      }
      if (std::holds_alternative<wire::Drain>(message)) {
        if (behaviour_ != "stubborn") return end(0);
        control_->send(wire::Drained{});
      }
      if (std::holds_alternative<wire::Failed>(message) && behaviour_ != "deaf") {
        control_->send(wire::Drained{});
        control_->flush();
        return end(behaviour_.starts_with("then=") ? std::atoi(behaviour_.c_str() + 5) : 0);
      }
    }
  }
  void on_lost(Link& link, const std::string&) override {
    if (&link == control_.get()) end(1);
  }

  void look_whether_all_spoke() {
    if (!silent_.empty()) return;
    control_->send(wire::Committed{1});
    if (behaviour_ == "ask") control_->send(wire::Drain{});
  }
  void end(int status) {
    status_ = status;
    loop_.stop();
  }

  uv::Loop& loop_;
  const std::string behaviour_;
  metrics::Registry metrics_;
  std::unique_ptr<Link> control_;
  std::vector<std::unique_ptr<Link>> peers_;
  std::set<std::uint32_t> silent_;
  int status_ = 0;
};

int work(const cluster::WorkerStart& start, const std::string& behaviour) {
  uv::die_with_parent(behaviour == "orphan" ? ::getpid() : start.supervisor);
  if (behaviour == "die") std::raise(SIGKILL);
  if (behaviour.starts_with("status=")) return std::atoi(behaviour.c_str() + 7);
  if (behaviour == "alive" && ::write(kAliveDescriptor, "a", 1) != 1) return 1;
  uv::Loop loop;
  Worker worker(loop, start, behaviour);
  loop.run();
  return worker.status();
}

int supervise(std::uint32_t workers) {
  uv::Loop loop;
  metrics::Registry metrics;
  cluster::Supervisor supervisor(
      loop,
      {.workers = workers,
       .application = kApplication,
       .arguments =
           [](const cluster::WorkerStart& start) { return worker_arguments(start, "alive"); }},
      metrics);
  return supervisor.run();
}

}  // namespace

std::vector<std::string> worker_arguments(const cluster::WorkerStart& start,
                                          const std::string& behaviour) {
  std::vector<std::string> out = {"unit_tests",
                                  "--worker",
                                  behaviour,
                                  std::to_string(start.supervisor),
                                  std::to_string(start.index),
                                  std::to_string(start.control)};
  for (const int fd : start.peers) out.push_back(std::to_string(fd));
  return out;
}

std::vector<std::string> supervisor_arguments(int workers) {
  return {"unit_tests", "--supervisor", std::to_string(workers)};
}

bool play_role(int argc, char** argv, int& status) {
  const std::string role = argc > 1 ? argv[1] : "";
  if (role == "--worker") {
    cluster::WorkerStart start{.index = static_cast<std::uint32_t>(std::atoi(argv[4])),
                               .control = std::atoi(argv[5]),
                               .supervisor = std::atoi(argv[3])};
    for (int i = 6; i < argc; ++i) start.peers.push_back(std::atoi(argv[i]));
    status = work(start, argv[2]);
    return true;
  }
  if (role == "--supervisor") {
    status = supervise(static_cast<std::uint32_t>(std::atoi(argv[2])));
    return true;
  }
  return false;
}

}  // namespace machida::tests
