#include "server/flow/operator_steps.h"

#include <doctest/doctest.h>

#include "embed/error.h"
#include "embed/value.h"
#include "tests/unit/flow/keyed_runner.h"
#include "tests/unit/python.h"

using namespace machida;
using embed::Gil;

namespace {

struct Runner {
  explicit Runner(const Gil& lock) : gil(lock) {}

  template <class T>
  std::string run(const std::string& function, const std::string& items) {
    T step({"flow", "s"}, failures, testing::python(gil, "it = " + function));
    return through(step, items);
  }
  // The outputs as `repr` writes a list.
  std::string through(flow::Step& step, const std::string& items) {
    flow::Batch in, out;
    for (const embed::Object& each : embed::items(gil, testing::python(gil, "it = " + items)))
      in.push(each.clone(gil).release());
    step.run(gil, in, out);
    in.clear(gil);
    std::vector<embed::Object> objects;
    for (std::size_t i = 0; i < out.size(); ++i)
      objects.push_back(embed::Object::steal(gil, out.take(i)));
    out.clear(gil);
    return embed::repr(gil, embed::make_list(gil, std::move(objects)));
  }
  // The only failure begins and goes on like this.
  void check_failure(const std::string& begin, const std::string& note) {
    REQUIRE(failures.texts.size() == 1);
    CHECK(failures.texts[0].starts_with(begin));
    CHECK(failures.texts[0].find(note) != std::string::npos);
  }

  const Gil& gil;
  testing::Failures failures;
};

}  // namespace

TEST_CASE("map hands on whatever the mapper returns, None as well") {
  const embed::GilLock gil;
  Runner runner(gil);
  CHECK(runner.run<flow::MapItemStep>("lambda x: 6 // x or None", "[3, 7, 0, 1]") ==
        "[2, None, 6]");
  runner.check_failure("ZeroDivisionError",
                       "error calling `map` mapper <lambda> (<string>:1) in step 's' on 0\n");
}

TEST_CASE("filter keeps what the predicate is True for, and wants a bool") {
  const embed::GilLock gil;
  Runner runner(gil);
  CHECK(runner.run<flow::FilterStep>("lambda x: x if x > 8 else x % 2 == 1", "[1, 2, 3, 9, 5]") ==
        "[1, 3, 5]");
  runner.check_failure(
      "TypeError: return value of `predicate` in filter operator must be a bool; got `9` instead\n",
      "error calling `filter` predicate");
}

TEST_CASE("filter_map drops None") {
  const embed::GilLock gil;
  Runner runner(gil);
  CHECK(runner.run<flow::FilterMapStep>("lambda x: None if x == 2 else [][x] if x > 5 else -x",
                                        "[1, 2, 0, 7, 3]") == "[-1, 0, -3]");
  runner.check_failure("IndexError", "error calling `filter_map` mapper");
}

TEST_CASE("flat_map takes any iterable") {
  const embed::GilLock gil;
  Runner runner(gil);
  CHECK(runner.run<flow::FlatMapItemsStep>(
            "lambda x: x", "['ab', [1, None], (2,), {'k': 3}, (n * n for n in (2, 3)), [], 5]") ==
        "['a', 'b', 1, None, 2, 'k', 4, 9]");
  runner.check_failure("TypeError: 'int' object is not iterable",
                       "error calling `flat_map` mapper");
}

TEST_CASE("what a generator raises is the mapper's failure; what it gave before goes on") {
  const embed::GilLock gil;
  Runner runner(gil);
  CHECK(runner.run<flow::FlatMapItemsStep>("lambda x: (6 // n for n in x)", "[(3, 0, 2), (1,)]") ==
        "[2, 6]");
  runner.check_failure("ZeroDivisionError", "in step 's' on (3, 0, 2)");
}

TEST_CASE("inspect sees every item and lets it pass") {
  const embed::GilLock gil;
  Runner runner(gil);
  CHECK(runner.run<flow::InspectStep>("lambda x: 1 // x", "[1, 2, 0, 3]") == "[1, 2, 3]");
  runner.check_failure("ZeroDivisionError", "error calling `inspect` inspector");
}

TEST_CASE("inspect_epoch and inspect_worker get a number on the side that they want it") {
  const embed::GilLock gil;
  Runner runner(gil);
  std::uint64_t number = 7;
  const embed::Object seen = testing::python(gil, "it = []");
  const embed::Object function =
      testing::python(gil, "def make(seen): return lambda a, b: seen.append((a, b))\nit = make");
  using Order = flow::InspectNumberStep::Order;
  for (const Order order : {Order::kNumberFirst, Order::kItemFirst}) {
    flow::InspectNumberStep step({"flow", "s"}, runner.failures, embed::call(gil, function, seen),
                                 "error", number, order);
    CHECK(runner.through(step, "['x']") == "['x']");
    ++number;
  }
  CHECK(embed::repr(gil, seen) == "[(7, 'x'), ('x', 8)]");
}
