#include "server/flow/window_step.h"

#include <doctest/doctest.h>

#include "tests/unit/flow/keyed_runner.h"

using namespace machida;
using testing::KeyedRunner;

namespace {

constexpr window::Micros kSecond = 1'000'000;

// Items are (second, payload); a window is printed as (first second, last second).
constexpr const char* kPrelude = R"(
from datetime import datetime, timedelta, timezone, tzinfo
def at(second): return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=second)
def time_of(item): return at(item[0]) if isinstance(item[0], (int, float)) else item[0]
class W:
    def __init__(self, open_time, close_time):
        self.times = open_time, close_time
    def __repr__(self):
        return '-'.join(f'{(t - at(0)) / timedelta(seconds=1):g}' for t in self.times)
)";

enum class Logic { kReduce, kFold, kCollect };

struct Spec {
  window::Clock clock = window::Clock::event(0);
  window::Windows windows = *window::SlidingWindows::tumbling(10 * kSecond, 0);
  Logic logic = Logic::kCollect;
  bool bare = false;
  const char* first = "lambda a, v: (a[0], a[1] + v[1])";  // reducer or builder
  const char* folder = "lambda a, v: a + [v[1]]";
};

std::unique_ptr<flow::WindowLogic> make_logic(const Spec& spec, KeyedRunner& runner) {
  switch (spec.logic) {
    case Logic::kReduce:
      return flow::reduce_logic(runner.object(spec.first));
    case Logic::kFold:
      return flow::fold_logic({runner.object("list"), flow::BuilderTakes::kNothing},
                              runner.object(spec.folder),
                              std::holds_alternative<window::SessionWindows>(spec.windows)
                                  ? flow::FoldedWindows::kMayMerge
                                  : flow::FoldedWindows::kStayApart);
    case Logic::kCollect:
      break;
  }
  return flow::collect_logic();
}

struct Runner : KeyedRunner {
  Runner(const embed::Gil& gil, const Spec& spec)
      : KeyedRunner(gil, [spec](KeyedRunner& runner) -> std::unique_ptr<flow::KeyedStep> {
          runner.prelude = kPrelude;
          const bool system = spec.clock.gives_item_times();
          return std::make_unique<flow::WindowStep>(
              flow::Place{"flow", "w"}, runner.failures,
              flow::WindowStep::Parts{
                  .windower = {spec.clock, spec.windows, window::IdleKeys::kForget},
                  .dt_getter = system ? embed::Object() : runner.object("time_of"),
                  .metadata_class = spec.bare ? embed::Object() : runner.object("W"),
                  .logic = make_logic(spec, runner),
                  .time = runner.time},
              runner.metrics);
        }) {}
  std::uint64_t late() const { return metrics.total(flow::LateItems::kCounter); }
};

const window::Windows kSessions = *window::SessionWindows::make(5 * kSecond);

}  // namespace

TEST_CASE("a window is given when an item's time has passed its end, the others at the end") {
  const embed::GilLock gil;
  Runner runner(gil, {});
  CHECK(runner.run("[('a', (1, 'x')), ('b', (0, 'y')), ('a', (9.5, 'z')), ('a', (10, 'on'))]") ==
        "[]");  // the watermark is right at the end: it stays open
  CHECK(runner.run("[('a', (12, 'p'))]") == "[('a', (0-10, [(1, 'x'), (9.5, 'z')]))]");
  CHECK(runner.eof() == "[('a', (10-20, [(10, 'on'), (12, 'p')])), ('b', (0-10, [(0, 'y')]))]");
  CHECK(runner.step->keys() == 0);
}

TEST_CASE("windows of a key close in order of their start, before the item is placed") {
  const embed::GilLock gil;
  Runner runner(gil, {.clock = window::Clock::event(100 * kSecond), .logic = Logic::kFold});
  CHECK(runner.run("[('a', (25, 1)), ('a', (5, 2)), ('a', (15, 3)), ('a', (26, 4))]") == "[]");
  CHECK(runner.run("[('a', (200, 5))]") ==
        "[('a', (0-10, [2])), ('a', (10-20, [3])), ('a', (20-30, [1, 4]))]");
}

TEST_CASE("the first value of a window is not reduced") {
  const embed::GilLock gil;
  Runner runner(gil, {.logic = Logic::kReduce});
  CHECK(runner.run("[('a', (1, 'x')), ('a', (2, 'y')), ('a', (11, 'z'))]") ==
        "[('a', (0-10, (1, 'xy')))]");
  CHECK(runner.eof() == "[('a', (10-20, (11, 'z')))]");
}

TEST_CASE("collect_window sorts by time, and those of one time by arrival") {
  const embed::GilLock gil;
  Runner runner(gil, {.clock = window::Clock::event(60 * kSecond)});
  runner.run("[('a', (3, 'c')), ('a', (1, 'a1')), ('a', (2, 'b')), ('a', (1, 'a2'))]");
  CHECK(runner.eof() == "[('a', (0-10, [(1, 'a1'), (1, 'a2'), (2, 'b'), (3, 'c')]))]");
}

TEST_CASE("an item is in every sliding window that covers it") {
  const embed::GilLock gil;
  Runner runner(gil, {.windows = *window::SlidingWindows::make(10 * kSecond, 5 * kSecond, 0),
                      .logic = Logic::kFold});
  CHECK(runner.run("[('a', (7, 1)), ('a', (12, 2))]") == "[('a', (0-10, [1]))]");
  CHECK(runner.eof() == "[('a', (5-15, [1, 2])), ('a', (10-20, [2]))]");
}

TEST_CASE("late items are dropped, counted and do not open a window again") {
  const embed::GilLock gil;
  Runner runner(gil, {});
  CHECK(runner.run("[('a', (1, 'x')), ('a', (15, 'y')), ('a', (2, 'late')), ('b', (2, 'z'))]") ==
        "[('a', (0-10, [(1, 'x')]))]");
  CHECK(runner.late() == 1);
  CHECK(runner.eof() == "[('a', (10-20, [(15, 'y')])), ('b', (0-10, [(2, 'z')]))]");
}

TEST_CASE("an item that only some of its windows miss counts as late, and is in the others") {
  const embed::GilLock gil;
  Runner runner(gil, {.windows = *window::SlidingWindows::make(10 * kSecond, 5 * kSecond, 0),
                      .logic = Logic::kFold});
  runner.run("[('a', (11, 1)), ('a', (7, 2))]");
  CHECK(runner.late() == 1);
  CHECK(runner.eof() == "[('a', (5-15, [1, 2])), ('a', (10-20, [1]))]");
}

TEST_CASE("an idle window closes as the system's time goes on") {
  const embed::GilLock gil;
  Runner runner(gil, {.clock = window::Clock::event(2 * kSecond)});
  runner.time.us = 1000 * kSecond;
  runner.run("[('b', (1, 'x')), ('a', (4, 'y'))]");
  // The watermark of a is 2, and has to pass 10.
  CHECK(runner.step->next_due_us() == 1008 * kSecond + 1);
  CHECK(runner.due(1008 * kSecond) == "[]");
  CHECK(runner.due(1011 * kSecond + 1) == "[('a', (0-10, [(4, 'y')])), ('b', (0-10, [(1, 'x')]))]");
  CHECK_FALSE(runner.step->next_due_us());
  CHECK(runner.step->keys() == 0);
}

TEST_CASE("with the system's clock items have its time") {
  const embed::GilLock gil;
  Runner runner(gil, {.clock = window::Clock::system(), .logic = Logic::kFold});
  runner.time.us = 3 * kSecond;
  CHECK(runner.run("[('a', ('no time', 1)), ('a', (None, 2))]") == "[]");
  runner.time.us = 11 * kSecond;
  CHECK(runner.run("[('a', (None, 3))]") == "[('a', (0-10, [1, 2]))]");
  CHECK(runner.due(21 * kSecond) == "[('a', (10-20, [3]))]");
}

TEST_CASE("sessions that become one keep everything, whatever the operator") {
  const embed::GilLock gil;
  const char* const items =
      "[('a', (0, 'p')), ('a', (8, 'q')), ('a', (9, 'r')), ('a', (4, 'bridge')), ('a', (30, 's'))]";
  Spec spec{.clock = window::Clock::event(15 * kSecond), .windows = kSessions};
  CHECK(Runner(gil, spec).run(items) ==
        "[('a', (0-9, [(0, 'p'), (4, 'bridge'), (8, 'q'), (9, 'r')]))]");
  spec.logic = Logic::kReduce;
  CHECK(Runner(gil, spec).run(items) == "[('a', (0-9, (0, 'pqrbridge')))]");
  spec.logic = Logic::kFold;
  CHECK(Runner(gil, spec).run(items) == "[('a', (0-9, ['p', 'q', 'r', 'bridge']))]");
}

TEST_CASE("items in order are never late in a session, however slowly they come") {
  const embed::GilLock gil;
  Runner runner(gil, {.windows = kSessions});
  CHECK(runner.run("[('a', (0, 1)), ('a', (0, 2)), ('a', (1, 3)), ('a', (6, 4))]") ==
        "[('a', (0-1, [(0, 1), (0, 2), (1, 3)]))]");
  CHECK(runner.late() == 0);
}

TEST_CASE("bare windows give the accumulator alone") {
  const embed::GilLock gil;
  Runner runner(gil, {.logic = Logic::kFold, .bare = true});
  runner.run("[('a', (1, 1)), ('a', (2, 2))]");
  CHECK(runner.eof() == "[('a', [1, 2])]");
}

TEST_CASE("keys that close the same window share its metadata") {
  const embed::GilLock gil;
  Runner runner(gil, {.logic = Logic::kFold});
  runner.run("[('a', (1, 1)), ('b', (2, 2)), ('c', (12, 3))]");
  flow::Batch out;
  runner.step->on_eof(gil, out);
  const auto metadata = [&](std::size_t i) {
    const auto pair = embed::items(gil, embed::Object::borrow(gil, out.at(i)));
    return embed::items(gil, pair.at(1)).at(0).get();
  };
  CHECK(metadata(0) == metadata(1));
  CHECK(metadata(0) != metadata(2));
}

TEST_CASE("what is wrong with an item's time names step and item") {
  const embed::GilLock gil;
  Runner runner(gil, {});
  runner.run(
      "[('a', (datetime(1970, 1, 1), 1)), ('a', ('noon', 2)), ('b', ()), ('a', (1, 3)), "
      "('a', (datetime(1970, 1, 1, tzinfo=tzinfo()), 4))]");
  REQUIRE(runner.failures.texts.size() == 4);
  CHECK(runner.failures.texts[0].starts_with(
      "TypeError: return value of `dt_getter` must be a datetime with tzinfo "
      "datetime.timezone.utc; got `datetime.datetime(1970, 1, 1, 0, 0)` instead\n"));
  CHECK(runner.failures.texts[0].find("error calling `dt_getter` time_of (<string>:4) in step 'w' "
                                      "on ('a', (datetime.datetime") != std::string::npos);
  CHECK(runner.failures.texts[1].find("got `'noon'` instead") != std::string::npos);
  CHECK(runner.failures.texts[2].starts_with("IndexError"));
  CHECK(runner.failures.texts[3].starts_with("NotImplementedError: a tzinfo subclass"));
  CHECK(runner.step->keys() == 1);
  CHECK(runner.eof() == "[('a', (0-10, [(1, 3)]))]");
}

TEST_CASE("an item in another zone has the time that it means") {
  const embed::GilLock gil;
  Runner runner(gil, {.logic = Logic::kFold});
  runner.run("[('a', (at(3601).astimezone(timezone(timedelta(hours=5))), 1))]");
  CHECK(runner.eof() == "[('a', (3600-3610, [1]))]");
}

TEST_CASE("what a folder raises names it, and the window goes on without the item") {
  const embed::GilLock gil;
  Runner runner(gil, {.logic = Logic::kFold, .folder = "lambda a, v: a + [1 // v[1]]"});
  runner.run("[('a', (1, 0)), ('a', (2, 1)), ('b', (3, 0))]");
  REQUIRE(runner.failures.texts.size() == 2);
  CHECK(runner.failures.texts[0].find("error calling FoldWindow folder <lambda>") !=
        std::string::npos);
  CHECK(runner.eof() == "[('a', (0-10, [1])), ('b', (0-10, []))]");
}

TEST_CASE("a folder of sessions, which is called when they close, names the item as well") {
  const embed::GilLock gil;
  Runner runner(
      gil, {.windows = kSessions, .logic = Logic::kFold, .folder = "lambda a, v: a + [1 // v[1]]"});
  runner.run("[('a', (1, 1)), ('a', (2, 0)), ('a', (3, 1)), ('b', (1, 1))]");
  CHECK(runner.eof() == "[('b', (1-1, [1]))]");
  REQUIRE(runner.failures.texts.size() == 1);
  CHECK(runner.failures.texts[0].find("error calling FoldWindow folder <lambda>") !=
        std::string::npos);
  CHECK(runner.failures.texts[0].find("in step 'w' on ('a', (2, 0))") != std::string::npos);
}

TEST_CASE("windows go on after a restart as if there had been none") {
  const embed::GilLock gil;
  for (const Logic logic : {Logic::kReduce, Logic::kFold, Logic::kCollect})
    for (const window::Windows& windows :
         {window::Windows(*window::SlidingWindows::make(10 * kSecond, 5 * kSecond, 0)),
          kSessions}) {
      const Spec spec{
          .clock = window::Clock::event(20 * kSecond), .windows = windows, .logic = logic};
      Runner through(gil, spec), restarted(gil, spec);
      restarted.checkpointed();
      for (const char* items :
           {"[('a', (10, 'x')), ('b', (3, 'y'))]", "[('a', (18, 'z')), ('a', (14, 'p'))]",
            "[('a', (33, 'q')), ('a', (12, 'late?'))]", "[('b', (90, 'r'))]"}) {
        CHECK(restarted.run(items) == through.run(items));
        restarted.restart();
        CHECK(restarted.step->next_due_us() == through.step->next_due_us());
        CHECK(restarted.step->keys() == through.step->keys());
      }
      CHECK(restarted.eof() == through.eof());
      restarted.restart();
      CHECK(restarted.snapshots.by_key.empty());
    }
}

TEST_CASE("a snapshot of other windows is refused by name") {
  const embed::GilLock gil;
  Runner runner(gil, {});
  runner.checkpointed();
  runner.run("[('a', (1, 1))]");
  runner.restart();
  Runner other(gil, {.windows = kSessions});
  CHECK_THROWS_WITH_AS(other.step->states()->restore(gil, embed::make_str(gil, "a"),
                                                     runner.snapshots.by_key.at("a").clone(gil)),
                       doctest::Contains("step 'w'"), embed::PythonError);
}

TEST_CASE("times beyond Python's years are the nearest that it has") {
  const embed::GilLock gil;
  Runner runner(gil, {.windows = *window::SlidingWindows::tumbling(window::kFarthest / 4, 0),
                      .logic = Logic::kFold,
                      .bare = false});
  runner.run("[('a', (1, 1))]");
  const std::string text = runner.eof();
  CHECK(text.starts_with("[('a', (0-2.534"));
}
