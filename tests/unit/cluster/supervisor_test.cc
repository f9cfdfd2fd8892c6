#include "server/cluster/supervisor.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/unit/cluster/roles.h"

using namespace machida;
using cluster::Supervisor;

namespace {

constexpr int kDeadlineMs = 20'000;

// Runs a supervisor of real processes until it ends.
struct Cluster {
  // `behaviour` of worker `index` at its start number `start`, from 0.
  using Behaviour = std::function<std::string(std::uint32_t index, int start)>;
  using OnMessage = std::function<void(Supervisor&, std::uint32_t, const wire::LinkMessage&)>;

  int run(std::uint32_t workers, Behaviour behaviour, OnMessage on_message = nullptr) {
    uv::Loop loop;
    std::map<std::uint32_t, int> starts;
    Supervisor supervisor(loop,
                          {.workers = workers,
                           .application = "roles",
                           .arguments =
                               [&](const cluster::WorkerStart& start) {
                                 return tests::worker_arguments(
                                     start, behaviour(start.index, starts[start.index]++));
                               },
                           .end_patience_ms = end_patience_ms,
                           .on_message =
                               [&](std::uint32_t index, const wire::LinkMessage& message) {
                                 if (on_message) on_message(supervisor, index, message);
                               }},
                          metrics);
    uv::Timer deadline(loop, [] { throw std::runtime_error("the cluster did not end in time"); });
    deadline.start(kDeadlineMs);
    return supervisor.run();
  }
  std::uint64_t starts() const { return metrics.total(Supervisor::kStarts); }
  std::uint64_t deaths() const { return metrics.total(Supervisor::kDeaths); }
  metrics::Registry metrics;
  std::uint64_t end_patience_ms = kDeadlineMs;
};

// Acts once, when so many workers have said T.
template <class T>
Cluster::OnMessage when_all_said(std::size_t workers, std::function<void(Supervisor&)> act) {
  auto said = std::make_shared<std::set<std::uint32_t>>();
  return [=](Supervisor& supervisor, std::uint32_t index, const wire::LinkMessage& message) {
    if (!std::holds_alternative<T>(message) || !said->insert(index).second) return;
    if (said->size() == workers) act(supervisor);
  };
}

std::string always_drain(std::uint32_t, int) { return "drain"; }

}  // namespace

TEST_CASE("workers find each other, and a signal drains them all") {
  Cluster cluster;
  CHECK(cluster.run(4, always_drain,
                    when_all_said<wire::Committed>(4, [](auto&) { ::raise(SIGTERM); })) == 0);
  CHECK(cluster.starts() == 1);
  CHECK(cluster.deaths() == 0);
}

TEST_CASE("one worker is a cluster too") {
  Cluster cluster;
  CHECK(cluster.run(1, always_drain,
                    when_all_said<wire::Committed>(1, [](auto&) { ::raise(SIGINT); })) == 0);
}

TEST_CASE("a worker that was asked to stop has all stop") {
  Cluster cluster;
  CHECK(cluster.run(3, [](std::uint32_t index, int) { return index == 1 ? "ask" : "drain"; }) == 0);
}

TEST_CASE("the second signal kills workers that do not stop") {
  Cluster cluster;
  const auto first = when_all_said<wire::Committed>(2, [](auto&) { ::raise(SIGTERM); });
  const auto second = when_all_said<wire::Drained>(2, [](auto&) { ::raise(SIGINT); });
  const int status = cluster.run(
      2, [](std::uint32_t, int) { return "stubborn"; },
      [&](Supervisor& supervisor, std::uint32_t index, const wire::LinkMessage& message) {
        first(supervisor, index, message);
        second(supervisor, index, message);
      });
  CHECK(status == 128 + SIGINT);
}

TEST_CASE("when a worker is killed all start again") {
  Cluster cluster;
  const auto second_start_dies = [](std::uint32_t index, int start) {
    return index == 1 && start < 2 ? "die" : "drain";
  };
  CHECK(cluster.run(3, second_start_dies,
                    when_all_said<wire::Committed>(3, [](Supervisor& all) { all.drain(); })) == 0);
  CHECK(cluster.starts() == 3);
  CHECK(cluster.deaths() == 2);
}

TEST_CASE("workers that die without progress are not started for ever") {
  Cluster cluster;
  CHECK(cluster.run(2, [](std::uint32_t index, int) { return index == 0 ? "die" : "stubborn"; }) ==
        128 + SIGKILL);
  CHECK(cluster.starts() == 5);
}

TEST_CASE("a worker that ends with a status of its own has the others end by themselves") {
  Cluster cluster;
  std::set<std::uint32_t> ended;
  CHECK(cluster.run(
            3, [](std::uint32_t index, int) { return index == 2 ? "status=4" : "stubborn"; },
            [&](Supervisor&, std::uint32_t index, const wire::LinkMessage& message) {
              if (std::holds_alternative<wire::Drained>(message)) ended.insert(index);
            }) == 4);
  CHECK(cluster.starts() == 1);
  CHECK(ended == std::set<std::uint32_t>{0, 1});
}

TEST_CASE("the status is that of the first worker that fails") {
  Cluster cluster;
  CHECK(cluster.run(
            3, [](std::uint32_t index, int) { return index == 0 ? "status=4" : "then=9"; }) == 4);
}

TEST_CASE("workers that do not end when one has failed are killed") {
  Cluster cluster;
  cluster.end_patience_ms = 1;
  CHECK(cluster.run(3, [](std::uint32_t index, int) { return index == 2 ? "status=4" : "deaf"; }) ==
        4);
}

TEST_CASE("a worker that ends well has the others drain") {
  Cluster cluster;
  CHECK(cluster.run(
            2, [](std::uint32_t index, int) { return index == 0 ? "status=0" : "drain"; }) == 0);
  CHECK(cluster.starts() == 1);
}

TEST_CASE("a program that can't be started is given up") {
  uv::Loop loop;
  metrics::Registry metrics;
  Supervisor supervisor(loop,
                        {.workers = 2,
                         .application = "roles",
                         .program = "/nonexistent/machida",
                         .arguments = [](const auto&) { return std::vector<std::string>{"x"}; }},
                        metrics);
  CHECK(supervisor.run() == 1);
  CHECK(metrics.total(Supervisor::kStarts) == 5);
}

TEST_CASE("a worker whose supervisor was gone before it looked ends at once") {
  uv::Loop loop;
  uv::ChildExit ended;
  uv::Child child(loop, [&](const uv::ChildExit& exit) { ended = exit; });
  REQUIRE(child.start({.path = "/proc/self/exe",
                       .argv = tests::worker_arguments({.index = 0, .peers = {-1}}, "orphan")}));
  loop.run();
  CHECK(ended.signal == SIGKILL);
}

TEST_CASE("no worker outlives a supervisor that is killed") {
  int alive[2];
  REQUIRE(::pipe2(alive, O_CLOEXEC) == 0);
  REQUIRE(::dup2(alive[1], tests::kAliveDescriptor) >= 0);  // dup2: not closed in programs
  ::close(alive[1]);
  uv::Loop loop;
  uv::Child supervisor(loop, [](const uv::ChildExit&) {});
  REQUIRE(supervisor.start({.path = "/proc/self/exe", .argv = tests::supervisor_arguments(3)}));
  ::close(tests::kAliveDescriptor);
  const auto read_one = [&alive] {
    pollfd waiting{.fd = alive[0], .events = POLLIN, .revents = 0};
    int ready;
    do ready = ::poll(&waiting, 1, kDeadlineMs);
    while (ready < 0 && errno == EINTR);  // SIGCHLD
    REQUIRE(ready == 1);
    char byte;
    return ::read(alive[0], &byte, 1);
  };
  for (int i = 0; i < 3; ++i) REQUIRE(read_one() == 1);
  supervisor.kill();
  CHECK(read_one() == 0);  // the end: nobody has the other end any more
  ::close(alive[0]);
  loop.run();
}
