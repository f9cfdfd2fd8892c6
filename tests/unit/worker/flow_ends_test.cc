#include "server/worker/flow_ends.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "embed/value.h"
#include "server/plan/dataflow_reader.h"
#include "tests/unit/flow/keyed_runner.h"

using namespace machida;
using embed::Gil;
using embed::Object;

namespace {

// Other processes, which note what they are told of ends: (process, stream, stage).
struct NotingPeers final : cluster::Peers {
  explicit NotingPeers(std::uint32_t processes) : count(processes) {}
  std::uint32_t own() const override { return 0; }
  std::uint32_t workers() const override { return count; }
  void send(std::uint32_t process, const wire::LinkMessage& message) override {
    const auto& ended = std::get<wire::Ended>(message);
    told.push_back({process, ended.stream, ended.stage});
  }

  std::uint32_t count;
  std::vector<std::vector<std::uint32_t>> told;
};

// Process 0 of a dataflow; the steps are Python source that adds them to `flow`, with a list `out`.
class Process {
 public:
  Process(const Gil& gil, std::uint32_t processes, const std::string& steps)
      : gil_(gil),
        flow_(embed::items(gil, testing::python(gil,
                                                "from datetime import timedelta\n"
                                                "from wallaroo.flows.dataflow import Dataflow\n"
                                                "from wallaroo.flows.testing import *\n"
                                                "flow, out = Dataflow(), []\n"
                                                "flow.bare_window_output = True\n" +
                                                    steps + "\nit = (flow, out)"))),
        plan_(plan::read_dataflow(gil, flow_[0])),
        peers(processes),
        streams(gil, {.plan = plan_,
                      .seats = {.process = 0, .processes = processes, .here = 1},
                      .failures = failures_,
                      .metrics = metrics_,
                      .time = time_,
                      .epoch = epoch_}),
        ends(streams, peers) {
    std::vector<flow::OwnedParts> parts;
    for (std::vector<std::string>& names : streams.list_partitions(gil))
      parts.push_back(flow::share_out({std::move(names)}, 1));
    streams.agree_on_partitions(gil, std::move(parts));
    streams.build_parts(gil);
  }

  void read_all(std::size_t stream) {
    std::int64_t now_us = time_.now_us();
    for (int i = 0; i < 100 && !streams.sources_ended(stream); ++i)
      streams.poll(gil_, stream, now_us);
    REQUIRE(streams.sources_ended(stream));
  }
  std::string out() const { return embed::repr(gil_, flow_[1]); }

 private:
  const Gil& gil_;
  std::vector<Object> flow_;
  plan::Dataflow plan_;
  testing::Failures failures_;
  metrics::Registry metrics_;
  testing::ManualTime time_;
  std::uint64_t epoch_ = 1;

 public:
  NotingPeers peers;
  worker::FlowStreams streams;
  worker::FlowEnds ends;
};

constexpr const char* kHoldsItems =
    "flow.input('in', TestingSource([('b', 2), ('a', 1)]))\n"
    "flow.batch('hold', 100, timedelta(days=1))\n"
    "flow.output('out', TestingSink(out))";

// Two exchanges: in front of each batch.
constexpr const char* kTwoExchanges =
    "flow.input('in', TestingSource([]))\n"
    "flow.batch('first', 100, timedelta(days=1))\n"
    "flow.batch('second', 100, timedelta(days=1))\n"
    "flow.output('out', TestingSink(out))";

using Told = std::vector<std::vector<std::uint32_t>>;

}  // namespace

TEST_CASE("a dataflow of one process ends when its sources have, and gives what its steps held") {
  const embed::GilLock gil;
  Process process(gil, 1, kHoldsItems);
  process.ends.advance(gil);
  CHECK(!process.ends.all_ended());
  process.read_all(0);
  CHECK(process.out() == "[]");
  process.ends.advance(gil);
  CHECK(process.ends.all_ended());
  CHECK(process.out() == "[('a', [1]), ('b', [2])]");
  process.ends.advance(gil);
  CHECK(process.out() == "[('a', [1]), ('b', [2])]");
}

TEST_CASE("a stage ends when all processes have ended the one in front of it") {
  const embed::GilLock gil;
  Process process(gil, 3, kTwoExchanges);
  REQUIRE(process.streams.stages() == 2);
  process.ends.advance(gil);
  CHECK(process.peers.told == Told{});
  process.read_all(0);
  process.ends.advance(gil);
  CHECK(process.peers.told == Told{{1, 0, 0}, {2, 0, 0}});
  CHECK(process.ends.on_ended({.stream = 0, .stage = 0}));
  process.ends.advance(gil);
  CHECK_MESSAGE(process.peers.told.size() == 2, "one process has not ended its first stage");
  CHECK(process.ends.on_ended({.stream = 0, .stage = 0}));
  process.ends.advance(gil);
  CHECK(process.peers.told == Told{{1, 0, 0}, {2, 0, 0}, {1, 0, 1}, {2, 0, 1}});
  CHECK(!process.ends.all_ended());
  for (int peer = 0; peer < 2; ++peer) CHECK(process.ends.on_ended({.stream = 0, .stage = 1}));
  process.ends.advance(gil);
  CHECK(process.ends.all_ended());
  CHECK_MESSAGE(process.peers.told.size() == 4, "nothing comes behind the last stage");
}

TEST_CASE("a process that is ahead is remembered until this one's sources have ended") {
  const embed::GilLock gil;
  Process process(gil, 2, kTwoExchanges);
  CHECK(process.ends.on_ended({.stream = 0, .stage = 0}));
  process.ends.advance(gil);
  CHECK(process.peers.told == Told{});
  process.read_all(0);
  process.ends.advance(gil);
  CHECK(process.peers.told == Told{{1, 0, 0}, {1, 0, 1}});
}

TEST_CASE("inputs end by themselves, and the dataflow with the last one") {
  const embed::GilLock gil;
  Process process(gil, 1,
                  "for name in 'ab':\n"
                  "    flow.input('in-' + name, TestingSource([name]))\n"
                  "    flow.output('out-' + name, TestingSink(out))");
  process.read_all(1);
  process.ends.advance(gil);
  CHECK(!process.ends.ended(0));
  CHECK(process.ends.ended(1));
  CHECK(!process.ends.all_ended());
  process.read_all(0);
  process.ends.advance(gil);
  CHECK(process.ends.all_ended());
  CHECK(process.out() == "['b', 'a']");
}

TEST_CASE("an end of what there is not, or one too many, makes no sense") {
  const embed::GilLock gil;
  Process process(gil, 2, kTwoExchanges);
  CHECK(!process.ends.on_ended({.stream = 1, .stage = 0}));
  CHECK(!process.ends.on_ended({.stream = 0, .stage = 3}));
  CHECK(process.ends.on_ended({.stream = 0, .stage = 1}));
  CHECK(!process.ends.on_ended({.stream = 0, .stage = 1}));
}
