// stateful_map, reduce and batch.
#include "server/flow/keyed_step.h"

#include <doctest/doctest.h>

#include "server/flow/batch_step.h"
#include "server/flow/reduce_step.h"
#include "server/flow/stateful_map_step.h"
#include "tests/unit/flow/keyed_runner.h"

using namespace machida;
using testing::KeyedRunner;

namespace {

KeyedRunner::Make stateful_map(const char* builder, const char* mapper,
                               flow::BuilderTakes takes = flow::BuilderTakes::kNothing) {
  return [builder, mapper, takes](KeyedRunner& runner) -> std::unique_ptr<flow::KeyedStep> {
    return std::make_unique<flow::StatefulMapStep>(
        flow::Place{"flow", "s"}, runner.failures,
        flow::StatefulMapStep::Parts{{runner.object(builder), takes}, runner.object(mapper)});
  };
}

KeyedRunner::Make reduce(const char* reducer, const char* is_complete) {
  return [reducer, is_complete](KeyedRunner& runner) -> std::unique_ptr<flow::KeyedStep> {
    return std::make_unique<flow::ReduceStep>(
        flow::Place{"flow", "s"}, runner.failures,
        flow::ReduceStep::Parts{runner.object(reducer), runner.object(is_complete)});
  };
}

KeyedRunner::Make batch(std::int64_t max_size, std::int64_t timeout_us) {
  return [max_size, timeout_us](KeyedRunner& runner) -> std::unique_ptr<flow::KeyedStep> {
    return std::make_unique<flow::BatchStep>(
        flow::Place{"flow", "s"}, runner.failures,
        flow::BatchStep::Parts{max_size, timeout_us, runner.time});
  };
}

constexpr const char* kSum = "lambda s, v: (s + v, s + v)";

}  // namespace

TEST_CASE("stateful_map keeps a state per key and the order of the items") {
  const embed::GilLock gil;
  KeyedRunner runner(gil, stateful_map("lambda: 0", kSum));
  CHECK(runner.run("[('b', 1), ('a', 2), ('b', 3), ('c', 4), ('a', 5)]") ==
        "[('b', 1), ('a', 2), ('b', 4), ('c', 4), ('a', 7)]");
  CHECK(runner.run("[('a', 1)]") == "[('a', 8)]");
  CHECK(runner.eof() == "[]");
  CHECK_FALSE(runner.step->next_due_us());
}

TEST_CASE("a state of None forgets the key; an output of None is an output") {
  const embed::GilLock gil;
  KeyedRunner runner(gil, stateful_map("list",
                                       "lambda s, v: (None if v == 0 else s + [v], "
                                       "s if v != 7 else None)"));
  CHECK(runner.run("[('a', 1), ('a', 2), ('a', 0), ('a', 3), ('a', 7)]") ==
        "[('a', []), ('a', [1]), ('a', [1, 2]), ('a', []), ('a', None)]");
  CHECK(runner.run("[('a', 0)]") == "[('a', [3, 7])]");
  CHECK(runner.step->keys() == 0);
}

TEST_CASE("a builder may take the key") {
  const embed::GilLock gil;
  KeyedRunner runner(gil, stateful_map("lambda key: key + '!'", "lambda s, v: (s + str(v), s)",
                                       flow::BuilderTakes::kKey));
  CHECK(runner.run("[('a', 1), ('b', 2), ('a', 3)]") == "[('a', 'a!'), ('b', 'b!'), ('a', 'a!1')]");
}

TEST_CASE("what is no pair with a str key is refused with the text that users know") {
  const embed::GilLock gil;
  KeyedRunner runner(gil, stateful_map("lambda: 0", kSum));
  CHECK(runner.run("[['a', 1], ('a', 1, 2), 'ab', (1, 1), (None, 1), ('a', 5)]") == "[('a', 5)]");
  REQUIRE(runner.failures.texts.size() == 5);
  CHECK(runner.failures.texts[0].starts_with(
      "TypeError: Dataflow requires a `(key, value)` 2-tuple as input to every stateful operator "
      "for routing; got `['a', 1]` instead\n"));
  CHECK(runner.failures.texts[0].find("in step 's' on ['a', 1]") != std::string::npos);
  CHECK(runner.failures.texts[3].starts_with(
      "TypeError: Stateful logic functions must return string or integer keys in `(key, value)`; "
      "got `1` instead\n"));
}

TEST_CASE("a str of a derived class is the key that it spells") {
  const embed::GilLock gil;
  KeyedRunner runner(gil, stateful_map("lambda: 0", kSum));
  runner.prelude =
      "class S(str):\n  def __hash__(self): return 7\n  def __eq__(self, o): return 0\n";
  CHECK(runner.run("[('a', 1), (S('a'), 2)]") == "[('a', 1), ('a', 3)]");
}

TEST_CASE("what the functions of stateful_map raise names function, step and item") {
  const embed::GilLock gil;
  KeyedRunner runner(gil,
                     stateful_map("lambda: 0", "lambda s, v: (s, 1 // v) if v < 3 else [s, v]"));
  CHECK(runner.run("[('a', 1), ('a', 0), ('a', 4), ('a', 2)]") == "[('a', 1), ('a', 0)]");
  REQUIRE(runner.failures.texts.size() == 2);
  CHECK(runner.failures.texts[0].starts_with("ZeroDivisionError: "));
  CHECK(runner.failures.texts[0].find(
            "error calling `stateful_map` mapper <lambda> (<string>:1) in step 's' on ('a', 0)") !=
        std::string::npos);
  CHECK(runner.failures.texts[1].starts_with(
      "TypeError: return value of `mapper` in stateful map operator must be a 2-tuple of "
      "`(updated_state, updated_value)`; got `[0, 4]` instead\n"));

  KeyedRunner unbuilt(gil, stateful_map("lambda: {}['x']", kSum));
  CHECK(unbuilt.run("[('a', 1)]") == "[]");
  CHECK(unbuilt.failures.texts.at(0).find("error calling `stateful_map` builder") !=
        std::string::npos);
  CHECK(unbuilt.step->keys() == 0);
}

TEST_CASE("states go on after a restart, and what was forgotten stays so") {
  const embed::GilLock gil;
  KeyedRunner runner(gil, stateful_map("lambda: 0", "lambda s, v: (s + v if v else None, s + v)"));
  runner.checkpointed();
  runner.run("[('a', 1), ('b', 2), ('c', 3), ('c', 0)]");
  runner.restart();
  CHECK(runner.step->keys() == 2);
  CHECK(runner.run("[('a', 10), ('b', 0), ('c', 5)]") == "[('a', 11), ('b', 2), ('c', 5)]");
  runner.restart();
  CHECK(runner.step->keys() == 2);
  CHECK(runner.run("[('a', 1), ('b', 1)]") == "[('a', 12), ('b', 1)]");
}

TEST_CASE("reduce begins with the first value as it is and ends when it is complete") {
  const embed::GilLock gil;
  KeyedRunner runner(gil, reduce("lambda a, v: a + v", "lambda a: len(a) >= 3"));
  CHECK(runner.run("[('a', 'x'), ('b', 'long'), ('a', 'y'), ('b', 'p'), ('a', 'z'), ('a', 'q')]") ==
        "[('b', 'long'), ('a', 'xyz')]");
  CHECK(runner.step->keys() == 2);
  CHECK(runner.eof() == "[]");  // what is not complete is dropped
}

TEST_CASE("is_complete must return a bool") {
  const embed::GilLock gil;
  KeyedRunner runner(gil, reduce("lambda a, v: a // v", "lambda a: 1 if a == 8 else True"));
  CHECK(runner.run("[('a', 8), ('a', 0), ('a', 2)]") == "[('a', 4)]");
  REQUIRE(runner.failures.texts.size() == 2);
  CHECK(runner.failures.texts[0].starts_with(
      "TypeError: return value of `is_complete` in reduce operator must be a bool; got `1` "
      "instead\n"));
  CHECK(runner.failures.texts[1].find("error calling `reduce` reducer") != std::string::npos);
}

TEST_CASE("reduce goes on after a restart") {
  const embed::GilLock gil;
  KeyedRunner runner(gil, reduce("lambda a, v: a + v", "lambda a: len(a) >= 3"));
  runner.checkpointed();
  runner.run("[('a', 'x'), ('b', 'abc')]");
  runner.restart();
  CHECK(runner.run("[('a', 'yz'), ('b', 'p')]") == "[('a', 'xyz')]");
  runner.restart();
  CHECK(runner.step->keys() == 1);
}

TEST_CASE("batch gives a list when it is full, per key") {
  const embed::GilLock gil;
  KeyedRunner runner(gil, batch(2, 1000));
  CHECK(runner.run("[('a', 1), ('b', 2), ('a', 3), ('a', 4), ('b', 5)]") ==
        "[('a', [1, 3]), ('b', [2, 5])]");
  CHECK(runner.eof() == "[('a', [4])]");
  CHECK(runner.eof() == "[]");
}

TEST_CASE("a batch waits from its first value on, and needs no new one to be given") {
  const embed::GilLock gil;
  KeyedRunner runner(gil, batch(10, 250));
  for (int value = 0; value < 3; ++value) {
    runner.time.us = 100 * value;
    CHECK(runner.run("[('a', " + std::to_string(value) + ")]") == "[]");
    CHECK(runner.step->next_due_us() == 250);
  }
  CHECK(runner.due(249) == "[]");
  CHECK(runner.due(250) == "[('a', [0, 1, 2])]");
  CHECK_FALSE(runner.step->next_due_us());
  runner.time.us = 300;
  runner.run("[('a', 3)]");
  CHECK(runner.step->next_due_us() == 550);
  runner.time.us = 600;  // nobody looked in time
  CHECK(runner.run("[('a', 4)]") == "[('a', [3, 4])]");
}

TEST_CASE("keys that are due together come in their order; at the end all do") {
  const embed::GilLock gil;
  KeyedRunner runner(gil, batch(10, 5));
  runner.run("[('c', 1), ('a', 2), ('b', 3)]");
  CHECK(runner.due(5) == "[('a', [2]), ('b', [3]), ('c', [1])]");
  runner.run("[('c', 1), ('a', 2), ('B', 3)]");
  CHECK(runner.eof() == "[('B', [3]), ('a', [2]), ('c', [1])]");
}

TEST_CASE("a batch of size 0 or without a timeout gives one by one") {
  const embed::GilLock gil;
  for (const auto& make : {batch(0, 1000), batch(10, 0)}) {
    KeyedRunner runner(gil, make);
    CHECK(runner.run("[('a', 1), ('a', 2)]") == "[('a', [1]), ('a', [2])]");
    CHECK_FALSE(runner.step->next_due_us());
  }
}

TEST_CASE("a batch keeps its values and its time over a restart") {
  const embed::GilLock gil;
  KeyedRunner runner(gil, batch(3, 100));
  runner.checkpointed();
  runner.run("[('a', 1), ('b', 1), ('b', 2), ('b', 3)]");
  runner.restart();
  runner.time.us = 50;
  CHECK(runner.run("[('a', 2)]") == "[]");
  CHECK(runner.step->next_due_us() == 100);
  CHECK(runner.due(100) == "[('a', [1, 2])]");
}
