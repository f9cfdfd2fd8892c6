#include "server/uv/child.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include "server/uv/loop.h"
#include "server/uv/pipe_stream.h"

using namespace machida;

namespace {

// Keeps what is read until the other end closes.
struct Listener final : uv::StreamEvents {
  Listener(uv::Loop& loop, uv::Descriptor fd) : stream(loop, *this, std::move(fd)) {
    stream.start_reading();
  }
  void on_read(std::string_view bytes) override { heard += bytes; }
  void on_end(const std::string& error) override {
    heard += "<end>" + error;
    stream.stop_reading();
  }
  std::string heard;
  uv::PipeStream stream;
};

uv::ChildProgram shell(const std::string& command) {
  return {.path = "/bin/sh", .argv = {"sh", "-c", command}};
}

uv::ChildExit run(uv::ChildProgram program) {
  uv::Loop loop;
  std::optional<uv::ChildExit> ended;
  uv::Child child(loop, [&](const uv::ChildExit& exit) { ended = exit; });
  REQUIRE(child.start(program));
  CHECK(child.running());
  loop.run();
  CHECK_FALSE(child.running());
  REQUIRE(ended);
  return *ended;
}

}  // namespace

TEST_CASE("a program's end is reported with its status or its signal") {
  const uv::ChildExit well = run(shell("exit 0")), badly = run(shell("exit 3"));
  CHECK(well.code() == 0);
  CHECK(badly.code() == 3);
  CHECK(badly.text() == "ended with status 3");
  const uv::ChildExit killed = run(shell("kill -KILL $$"));
  CHECK(killed.signal == SIGKILL);
  CHECK(killed.code() == 137);
  CHECK(killed.text() == "was killed by signal 9 (Killed)");
}

TEST_CASE("a program finds its descriptors under the numbers that it was promised") {
  uv::Loop loop;
  uv::SocketPair first = *uv::socket_pair(), second = *uv::socket_pair();
  Listener one(loop, std::move(first.one)), two(loop, std::move(second.one));
  uv::Child child(loop, [](const uv::ChildExit&) {});
  uv::ChildProgram program = shell("printf one >&7; printf two >&4");
  program.descriptors = {{7, first.other.get()}, {4, second.other.get()}};
  REQUIRE(child.start(program));
  first.other = uv::Descriptor();
  second.other = uv::Descriptor();
  loop.run();
  CHECK(one.heard == "one<end>");
  CHECK(two.heard == "two<end>");
}

TEST_CASE("descriptors may trade places on their way into a program") {
  uv::Loop loop;
  uv::SocketPair first = *uv::socket_pair(), second = *uv::socket_pair();
  Listener one(loop, std::move(first.one)), two(loop, std::move(second.one));
  const int a = first.other.get(), b = second.other.get();
  uv::Child child(loop, [](const uv::ChildExit&) {});
  uv::ChildProgram program = {
      .path = "/bin/bash",  // sh knows one digit only
      .argv = {"bash", "-c",
               "printf one >&" + std::to_string(b) + "; printf two >&" + std::to_string(a)}};
  program.descriptors = {{b, a}, {a, b}};
  REQUIRE(child.start(program));
  first.other = uv::Descriptor();
  second.other = uv::Descriptor();
  loop.run();
  CHECK(one.heard == "one<end>");
  CHECK(two.heard == "two<end>");
}

TEST_CASE("a program that is not there is an error that names it") {
  uv::Loop loop;
  uv::Child child(loop, [](const uv::ChildExit&) { FAIL("never ran"); });
  const auto pid = child.start({.path = "/nonexistent/machida", .argv = {"machida"}});
  REQUIRE_FALSE(pid);
  CHECK(pid.error() == "/nonexistent/machida can't be started: no such file or directory");
  CHECK_FALSE(child.running());
  loop.run();
}

TEST_CASE("a program goes with its owner") {
  uv::Loop loop;
  uv::SocketPair pair = *uv::socket_pair();
  Listener held(loop, std::move(pair.one));
  auto child = std::make_unique<uv::Child>(loop, [](const uv::ChildExit&) { FAIL("unobserved"); });
  uv::ChildProgram program = shell("exec sleep 600");
  program.descriptors = {{3, pair.other.get()}};
  REQUIRE(child->start(program));
  pair.other = uv::Descriptor();
  child.reset();
  loop.run();
  CHECK(held.heard == "<end>");
}

TEST_CASE("a program may be killed, and killing it twice is no matter") {
  uv::Loop loop;
  int signal = 0;
  uv::Child child(loop, [&](const uv::ChildExit& exit) { signal = exit.signal; });
  child.kill();
  REQUIRE(child.start(shell("exec sleep 600")));
  child.kill();
  child.kill();
  loop.run();
  CHECK(signal == SIGKILL);
  child.kill();
}
