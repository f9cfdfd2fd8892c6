#include "server/cluster/reception.h"

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "server/base/host_port.h"
#include "server/uv/bound_socket.h"
#include "server/uv/timer.h"

using namespace machida;
using cluster::Reception;

namespace {

constexpr std::uint64_t kDeadlineMs = 20'000;

// A reception with one door, for workers that are lists of what they were given.
struct Office {
  explicit Office(std::uint32_t workers)
      : given(workers),
        takes(workers, true),
        reception(loop, {{.pipeline = 0, .socket = bound.socket.get()}}, cluster::Turns(workers),
                  [this](std::uint32_t worker, std::uint32_t, int) {
                    if (!takes[worker]) return ++refused, false;
                    ++given[worker];
                    return true;
                  }) {}

  void connect(int count) {
    const HostPort where{"127.0.0.1", bound.address.port()};
    for (int i = 0; i < count; ++i) {
      Result<uv::Descriptor> made = uv::connect_now(where);
      REQUIRE(made);
      clients.push_back(*std::move(made));
    }
  }

  // Runs the loop until it is so.
  void run_until(const std::function<bool()>& so) {
    uv::Timer deadline(loop, [] { throw std::runtime_error("it did not become so in time"); });
    deadline.start(kDeadlineMs);
    uv::Timer look(loop, [&] {
      if (so()) return loop.stop();
      look.start(1);
    });
    look.start(1);
    loop.run();
  }

  uv::Loop loop;
  uv::BoundSocket bound = std::move((*uv::bind_all({"127.0.0.1", 0})).front());
  std::vector<int> given;
  std::vector<bool> takes;
  int refused = 0;
  Reception reception;
  std::vector<uv::Descriptor> clients;
};

}  // namespace

TEST_CASE("clients that connect at once are dealt out evenly") {
  Office office(3);
  office.reception.open();
  office.connect(9);
  office.run_until([&] { return office.given[0] + office.given[1] + office.given[2] == 9; });
  CHECK(office.given == std::vector<int>{3, 3, 3});
}

TEST_CASE("a worker that takes nothing is passed over") {
  Office office(2);
  office.takes[0] = false;
  office.reception.open();
  office.connect(4);
  office.run_until([&] { return office.given[1] == 4; });
  CHECK(office.given[0] == 0);
}

TEST_CASE("clients that no worker takes are kept, and come first when one does") {
  Office office(2);
  office.takes = {false, false};
  office.reception.open();
  office.connect(4);
  office.run_until([&] { return office.refused >= 4; });  // tried twice, at both
  CHECK(office.given == std::vector<int>{0, 0});
  office.takes = {true, true};
  office.run_until([&] { return office.given[0] + office.given[1] == 4; });
  CHECK(office.given == std::vector<int>{2, 2});
  CHECK(office.reception.release().empty());
}

TEST_CASE("clients wait while the reception is closed; one that nobody took is handed on") {
  Office office(1);
  office.takes = {false};
  office.reception.open();
  office.connect(1);
  office.run_until([&] { return office.refused > 0; });
  office.reception.close();
  office.connect(2);
  const cluster::KeptConnections untaken = office.reception.release();
  REQUIRE(untaken.size() == 1);
  CHECK(untaken.front().end == cluster::KeptConnection::End::kClient);
  office.takes = {true};
  office.reception.open();
  office.run_until([&] { return office.given[0] == 2; });
}
