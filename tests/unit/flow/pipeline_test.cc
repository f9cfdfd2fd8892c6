#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "embed/error.h"
#include "embed/value.h"
#include "server/worker/in_process.h"
#include "tests/unit/flow/wallaroo_steps.h"

using namespace machida;

namespace {

struct Outcome {
  std::vector<std::string> outputs;
  std::vector<std::string> errors;
};

Outcome run(const embed::Gil& gil, const std::string& steps,
            const std::vector<std::string_view>& frames,
            worker::UnknownKeyPolicy unknown = worker::UnknownKeyPolicy::kDrop) {
  const plan::Plan plan = testing::plan_of_steps(gil, steps);
  worker::InProcess process(gil, plan, unknown, 100);
  process.feed_frames(gil, 0, {frames.begin(), frames.end()});
  Outcome outcome;
  for (const worker::Output& output : process.outputs(0, 0))
    outcome.outputs.push_back(output.value);
  for (const worker::DeadLetter& letter : process.dead_letters())
    outcome.errors.push_back(letter.place.step + ": " + letter.error);
  return outcome;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("records pass the steps in order; None is filtered everywhere") {
  const embed::GilLock gil;
  const Outcome outcome = run(gil, R"(('to', Step(lambda d: None if d == 'b' else d + '!')),
      ('to', Multi(lambda d: [d, None, d + '?'] if d != 'c!' else None)))",
                              {"a", "b", "none", "c", "d"});
  CHECK(outcome.outputs == Texts{"a!", "a!?", "d!", "d!?"});
  CHECK(outcome.errors.empty());
}

TEST_CASE("more records than a batch holds keep their order") {
  const embed::GilLock gil;
  std::vector<std::string> numbers;
  for (int i = 0; i < 1000; ++i) numbers.push_back(std::to_string(i));
  const std::vector<std::string_view> frames(numbers.begin(), numbers.end());
  CHECK(run(gil, "('to', Step(lambda d: d))", frames).outputs == numbers);
}

TEST_CASE("a record that user code fails on is a dead letter, the rest goes on") {
  const embed::GilLock gil;
  const Outcome outcome = run(gil, R"(('to', Step(lambda d: 1 // (d != 'zero') and d)),
      ('to', Multi(lambda d: d if d == 'nolist' else [7 if d == 'seven' else d])))",
                              {"a", "zero", "nolist", "seven", "\xff", "b"});
  CHECK(outcome.outputs == Texts{"a", "b"});
  REQUIRE(outcome.errors.size() == 4);
  CHECK(outcome.errors[0].starts_with("decoder: UnicodeDecodeError"));
  CHECK(outcome.errors[1].starts_with("step: ZeroDivisionError"));
  CHECK(outcome.errors[2].starts_with("multi: TypeError: compute_multi must return a list"));
  CHECK(outcome.errors[3].starts_with(
      "encoder: TypeError: an encoder must return bytes or str, got int"));
}

TEST_CASE("each key has its own state; None as output filters") {
  const embed::GilLock gil;
  const Outcome outcome =
      run(gil, R"(('to_state_partition', Step(lambda d, s: (d + str(s.add()), True)
      if d != 'x' else (None, True)), Count, 's', By(lambda d: d), ['a', 'b', 'x']))",
          {"a", "b", "a", "x", "unknown", "b"});
  CHECK(outcome.outputs == Texts{"a1", "b1", "a2", "b2"});
}

TEST_CASE("unlisted keys get state when the policy says so, or when no list was given") {
  const embed::GilLock gil;
  const std::string step =
      "('to_state_partition', Step(lambda d, s: (d + str(s.add()), True)), Count, 's', "
      "By(lambda d: d)";
  CHECK(run(gil, step + ", ['a'])", {"b", "b"}).outputs.empty());
  CHECK(run(gil, step + ", ['a'])", {"b", "b"}, worker::UnknownKeyPolicy::kCreate).outputs ==
        Texts{"b1", "b2"});
  CHECK(run(gil, step + ")", {"b", "b"}).outputs == Texts{"b1", "b2"});
}

TEST_CASE("what a state computation or a partition function does wrong is a dead letter") {
  const embed::GilLock gil;
  const Outcome outcome =
      run(gil, R"(('to_state_partition', Step(lambda d, s: {'int': 3, 'long': (1, 2, 3)}
      .get(d, (d, False))), Count, 's', By(lambda d: [] if d == 'list' else 1 // (d != 'raise'))))",
          {"a", "int", "long", "list", "raise", "b"});
  CHECK(outcome.outputs == Texts{"a", "b"});
  REQUIRE(outcome.errors.size() == 4);
  CHECK(outcome.errors[0].find("must return a tuple") != std::string::npos);
  CHECK(outcome.errors[2].starts_with("step: TypeError: "));
  CHECK(outcome.errors[2].find("unhashable") != std::string::npos);
  CHECK(outcome.errors[3].starts_with("step: ZeroDivisionError"));
}

TEST_CASE("to_stateful has one state object for all records") {
  const embed::GilLock gil;
  CHECK(run(gil, "('to_stateful', Step(lambda d, s: (d + str(s.add()), None)), Count, 's')",
            {"a", "b"})
            .outputs == Texts{"a1", "b2"});
}

TEST_CASE("sys.exit() in user code ends the run with its status") {
  const embed::GilLock gil;
  try {
    run(gil, "('to', Step(lambda d: (_ for _ in ()).throw(SystemExit(7))))", {"a", "b"});
    FAIL("not reached");
  } catch (const embed::SystemExit& exit) {
    CHECK(exit.status() == 7);
  }
}
