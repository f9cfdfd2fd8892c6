#include "server/cluster/link.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "server/uv/loop.h"
#include "server/uv/timer.h"

using namespace machida;
using cluster::Link;

namespace {

struct End final : cluster::LinkEvents {
  End(uv::Loop& loop, cluster::LinkEnds ends, uv::Descriptor fd)
      : link(std::make_unique<Link>(loop, *this, std::move(ends), std::move(fd), metrics)) {}
  void on_messages(Link&, std::span<const wire::LinkMessage> messages) override {
    ++reads;
    for (const wire::LinkMessage& message : messages) {
      if (const auto* batch = std::get_if<wire::Batch>(&message)) {
        records += batch->count;
        bytes += batch->records.size();
      }
      if (const auto* stored = std::get_if<wire::Stored>(&message)) epochs.push_back(stored->epoch);
    }
  }
  void on_full(Link&) override { notes += "full;"; }
  void on_room(Link&) override { notes += "room;"; }
  void on_lost(Link&, const std::string& why) override {
    notes += "lost " + why + ";";
    link.reset();
  }
  metrics::Registry metrics;
  std::string notes;
  std::vector<std::uint64_t> epochs;
  std::size_t reads = 0, records = 0, bytes = 0;
  std::unique_ptr<Link> link;
};

// Workers 0 and 1 of 2 on one loop, with a deadline.
struct Two {
  explicit Two(cluster::LinkEnds of_one = {"orders", 2, 1, 0})
      : pair(*uv::socket_pair()),
        zero(loop, {"orders", 2, 0, 1}, std::move(pair.one)),
        one(loop, std::move(of_one), std::move(pair.other)) {}
  void run_until(std::function<bool()> done) {
    uv::Timer look(loop, [&] {
      if (done()) return loop.stop();
      if (loop.now_ms() > deadline_ms) throw std::runtime_error("not in time");
      look.start(1);
    });
    look.start(1);
    loop.run();
  }
  uv::Loop loop;
  std::uint64_t deadline_ms = loop.now_ms() + 20'000;
  uv::SocketPair pair;
  End zero, one;
};

}  // namespace

TEST_CASE("messages arrive in order, those of one turn in one read") {
  Two two;
  for (std::uint64_t i = 0; i < 100; ++i) two.zero.link->send(wire::Stored{i});
  two.run_until([&] { return two.one.epochs.size() == 100; });
  CHECK(two.one.reads == 1);
  for (std::uint64_t i = 0; i < 100; ++i) CHECK(two.one.epochs[i] == i);
  CHECK(two.zero.metrics.total(Link::kSent) == two.one.metrics.total(Link::kReceived));
}

TEST_CASE("a link says when too much waits and when there is room again") {
  Two two;
  const std::string records(1u << 20, 'r');
  for (int i = 0; i < 6; ++i) {
    two.zero.link->send(wire::Batch{0, 0, 1, records});
    CHECK(two.zero.link->full() == (two.zero.link->queued_bytes() > Link::kQueueBytesMax));
  }
  CHECK(two.zero.notes == "full;");
  two.run_until([&] { return two.one.records == 6 && !two.zero.link->full(); });
  CHECK(two.zero.notes == "full;room;");
  CHECK(two.one.bytes == 6u << 20);
  CHECK(two.zero.link->queued_bytes() == 0);
}

TEST_CASE("two links that are full against each other both get through") {
  Two two;
  const std::string records(3u << 20, 'r');
  for (int i = 0; i < 10; ++i) {
    two.zero.link->send(wire::Batch{0, 0, 1, records});
    two.one.link->send(wire::Batch{0, 0, 1, records});
  }
  CHECK(two.zero.link->full());
  CHECK(two.one.link->full());
  two.run_until([&] { return two.zero.records == 10 && two.one.records == 10; });
  CHECK(two.zero.bytes == 30u << 20);
  CHECK(two.one.bytes == 30u << 20);
}

TEST_CASE("what a worker said before it went is heard") {
  Two two;
  two.zero.link->send(wire::Stored{7});
  two.run_until([&] { return two.zero.link->queued_bytes() == 0; });
  two.zero.link.reset();
  two.run_until([&] { return !two.one.link; });
  CHECK(two.one.epochs == std::vector<std::uint64_t>{7});
  CHECK(two.one.notes == "lost ;");
}

TEST_CASE("sending to a worker that is gone changes nothing") {
  Two two;
  two.one.link.reset();
  for (int i = 0; i < 100; ++i) two.zero.link->send(wire::Stored{7});
  two.run_until([&] { return !two.zero.link; });
  CHECK(two.zero.notes.starts_with("lost "));
}

TEST_CASE("a peer that is somebody else is lost at once, and both learn it") {
  const auto lost = [](cluster::LinkEnds of_one) {
    Two two(std::move(of_one));
    two.run_until([&] { return !two.zero.link && !two.one.link; });
    return two.zero.notes;
  };
  CHECK(lost({"words", 2, 1, 0}) == "lost the peer runs application 'words', not 'orders';");
  CHECK(lost({"orders", 3, 1, 0}) == "lost the peer counts 3 workers, not 2;");
  CHECK(lost({"orders", 2, 0, 1}) == "lost the peer is 0, not 1;");
  CHECK(lost({"orders", 2, wire::Hello::kSupervisor, 0}) == "lost the peer is supervisor, not 1;");
}

TEST_CASE("what the receiver throws leaves the link usable") {
  struct Thrower final : cluster::LinkEvents {
    void on_messages(Link&, std::span<const wire::LinkMessage> messages) override {
      heard += messages.size();
      if (heard == 1) throw std::runtime_error("from the receiver");
    }
    void on_lost(Link&, const std::string&) override {}
    std::size_t heard = 0;
  } thrower;
  uv::Loop loop;
  metrics::Registry metrics;
  uv::SocketPair pair = *uv::socket_pair();
  End zero(loop, {"orders", 2, 0, 1}, std::move(pair.one));
  const Link one(loop, thrower, {"orders", 2, 1, 0}, std::move(pair.other), metrics);
  zero.link->send(wire::Stored{1});
  CHECK_THROWS_WITH(loop.run(), "from the receiver");
  zero.link->send(wire::Stored{2});
  uv::Timer look(loop, [&] {
    if (thrower.heard == 2) return loop.stop();
    look.start(1);
  });
  look.start(1);
  loop.run();
  CHECK(thrower.heard == 2);
}
