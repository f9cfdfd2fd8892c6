#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/uv/bound_socket.h"
#include "server/uv/loop.h"
#include "server/uv/tcp_listener.h"
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
  uv::TcpListener listener(loop, std::move(bound.socket), [&](uv::TcpListener& waiting) {
    accepted = std::make_unique<uv::TcpStream>(loop, server);
    REQUIRE(waiting.accept(*accepted));
    accepted->start_reading();
  });
  REQUIRE(listener.listen() == "");
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
  uv::Loop loop;
  uv::BoundSocket bound = bind_one(0);
  const std::uint16_t port = bound.address.port();
  uv::TcpListener first(loop, std::move(bound.socket), [](uv::TcpListener&) {});
  uv::TcpListener second(loop, bind_one(port).socket, [](uv::TcpListener&) {});
  REQUIRE(first.listen() == "");
  CHECK(second.listen() == "address already in use");
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
