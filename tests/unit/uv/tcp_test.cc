#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/uv/accept_watch.h"
#include "server/uv/bound_socket.h"
#include "server/uv/loop.h"
#include "server/uv/tcp_stream.h"
#include "server/uv/timer.h"

using namespace machida;

namespace {

// Keeps what happens; stops the loop when `stop_when` says so.
struct Peer final : uv::StreamEvents {
  Peer(uv::Loop& loop, std::string stop_when) : loop(loop), stop_when(std::move(stop_when)) {}
  void note(const std::string& event) {
    events += event + ";";
    if (event == stop_when) loop.stop();
  }
  void on_connected(const std::string& error) override { note("connected " + error); }
  void on_read(std::string_view bytes) override { note("read " + std::string(bytes)); }
  void on_end(const std::string& error) override { note("end " + error); }
  void on_written(const std::string& error) override { note("written " + error); }
  uv::Loop& loop;
  std::string stop_when, events;
};

uv::BoundSocket bind_one(std::uint16_t port) {
  auto bound = uv::bind_all({"127.0.0.1", port});
  REQUIRE(bound);
  std::vector<uv::BoundSocket> sockets = *std::move(bound);
  return std::move(sockets.front());
}

}  // namespace

TEST_CASE("what one side writes the other reads, and an end is an end") {
  uv::Loop loop;
  Peer server(loop, "end "), client(loop, "");
  std::unique_ptr<uv::TcpStream> accepted;
  uv::BoundSocket bound = bind_one(0);
  REQUIRE(uv::start_listening(bound.socket.get()) == "");
  uv::AcceptWatch watch(loop, bound.socket.get(), [&](uv::Descriptor connection) {
    accepted = std::make_unique<uv::TcpStream>(loop, server);
    accepted->take_over(std::move(connection));
    accepted->start_reading();
  });
  auto stream = std::make_unique<uv::TcpStream>(loop, client);
  stream->connect(bound.address);
  uv::Timer step(loop, [&] {
    if (client.events == "connected ;") {
      const std::string_view parts[] = {"he", "llo"};
      stream->write(parts);
    }
    if (client.events == "connected ;written ;" && server.events == "read hello;") stream.reset();
    step.start(1);
  });
  step.start(1);
  loop.run();
  CHECK(server.events == "read hello;end ;");
  CHECK(client.events == "connected ;written ;");
}

TEST_CASE("when no more files may be opened, connections wait and the loop does not spin") {
  uv::Loop loop;
  const uv::BoundSocket bound = bind_one(0);
  REQUIRE(uv::start_listening(bound.socket.get()) == "");
  int accepted = 0;
  uv::AcceptWatch watch(loop, bound.socket.get(), [&](uv::Descriptor) {
    ++accepted;
    loop.stop();
  });
  auto connection = uv::connect_now({"127.0.0.1", bound.address.port()});
  REQUIRE(connection);
  std::vector<uv::Descriptor> others;
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{64, before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
  while (others.empty() || others.back().get() >= 0) others.emplace_back(dup(0));
  int ticks = 0;
  uv::Timer tick(loop, [&] {
    if (++ticks == 10) others.clear();
    tick.start(5);
  });
  tick.start(5);
  loop.run();
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(accepted == 1);
  CHECK(ticks >= 10);
  CHECK(loop.turn() < static_cast<std::uint64_t>(2 * ticks + 10));
}

TEST_CASE("a refused connection says so") {
  uv::Loop loop;
  Peer client(loop, "connected connection refused");
  uv::TcpStream stream(loop, client);
  stream.connect(uv::resolve_now({"127.0.0.1", 1})->front());
  loop.run();
  CHECK(client.events == "connected connection refused;");
}

TEST_CASE("a stream may go while its write and its connect are under way") {
  uv::Loop loop;
  Peer client(loop, "");
  auto stream = std::make_unique<uv::TcpStream>(loop, client);
  stream->connect(uv::resolve_now({"127.0.0.1", 1})->front());
  stream.reset();
  loop.run();
  CHECK(client.events.empty());
}

TEST_CASE("a port that is taken is an error, and so is an address of another machine") {
  const uv::BoundSocket first = bind_one(0);
  const std::uint16_t port = first.address.port();
  const uv::BoundSocket second = bind_one(port);
  REQUIRE(uv::start_listening(first.socket.get()) == "");
  CHECK(uv::start_listening(second.socket.get()) == "address already in use");
  const auto again = uv::bind_all({"127.0.0.1", port});
  REQUIRE_FALSE(again);
  CHECK(again.error() == "address already in use");
  const auto elsewhere = uv::bind_all({"192.0.2.1", 0});
  REQUIRE_FALSE(elsewhere);
  CHECK(elsewhere.error() == "it is no address of this machine");
}

TEST_CASE("what a callback throws comes out of run()") {
  uv::Loop loop;
  uv::Timer timer(loop, [] { throw std::runtime_error("from a callback"); });
  timer.start(1);
  CHECK_THROWS_WITH(loop.run(), "from a callback");
}

TEST_CASE("an unknown host is an error that names it") {
  const auto found = uv::resolve_now({"no.such.host.invalid", 1});
  REQUIRE_FALSE(found);
  CHECK(found.error().find("no.such.host.invalid") != std::string::npos);
}
