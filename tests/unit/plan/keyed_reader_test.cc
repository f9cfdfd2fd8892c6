#include "server/plan/keyed_reader.h"

#include <doctest/doctest.h>

#include <string>

#include "embed/error.h"
#include "embed/value.h"
#include "tests/unit/python.h"

using namespace machida;
using Texts = std::vector<std::string>;

namespace {

constexpr const char* kConfigs = R"(
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
utc = datetime(2022, 1, 1, tzinfo=timezone.utc)
second = timedelta(seconds=1)
event = SimpleNamespace(dt_getter=len, wait_for_system_duration=second)
system = SimpleNamespace()
def tumbling(**changes):
    return SimpleNamespace(**{'length': second, 'align_to': utc, **changes})
def session(gap):
    return SimpleNamespace(gap=gap)
it = )";

std::optional<plan::KeyedSpec> read(const embed::Gil& gil, const std::string& tuple,
                                    plan::Mistakes& mistakes) {
  const embed::Object object = testing::python(gil, kConfigs + tuple);
  return plan::read_keyed_step(gil, embed::items(gil, object), mistakes);
}

// What is wrong with it.
std::string mistake_in(const embed::Gil& gil, const std::string& tuple) {
  plan::Mistakes mistakes;
  CHECK_FALSE(read(gil, tuple, mistakes));
  REQUIRE(mistakes.texts().size() == 1);
  return mistakes.texts()[0];
}

template <class T>
T read_as(const embed::Gil& gil, const std::string& tuple) {
  plan::Mistakes mistakes;
  std::optional<plan::KeyedSpec> spec = read(gil, tuple, mistakes);
  CHECK(mistakes.texts() == Texts{});
  REQUIRE(spec);
  CHECK(spec->id == "s");
  return std::get<T>(std::move(spec->step));
}

}  // namespace

TEST_CASE("the steps without windows are read as they are") {
  const embed::GilLock gil;
  const auto batch = read_as<plan::BatchSpec>(gil, "('batch', 's', 10, timedelta(seconds=1.5))");
  CHECK(batch.max_size == 10);
  CHECK(batch.timeout_us == 1'500'000);
  CHECK(read_as<plan::BatchSpec>(gil, "('batch', 's', 10**30, second)").max_size ==
        std::numeric_limits<std::int64_t>::max());
  const auto map = read_as<plan::StatefulMapSpec>(gil, "('stateful_map', 's', str, max, True)");
  CHECK(map.builder.takes_key);
  CHECK(embed::repr(gil, map.builder.function) == "<class 'str'>");
  CHECK(embed::repr(gil, map.mapper) == "<built-in function max>");
  const auto reduce = read_as<plan::ReduceSpec>(gil, "('reduce', 's', max, bool)");
  CHECK(embed::repr(gil, reduce.is_complete) == "<class 'bool'>");
}

TEST_CASE("clocks and windows are read from what they have") {
  const embed::GilLock gil;
  auto spec = read_as<plan::WindowSpec>(gil, "('collect_window', 's', event, tumbling())");
  CHECK(spec.dt_getter);
  CHECK_FALSE(spec.clock.gives_item_times());
  const auto& tumbling = std::get<window::SlidingWindows>(spec.windows);
  CHECK(tumbling.length_us() == 1'000'000);
  CHECK(tumbling.offset_us() == 1'000'000);
  CHECK(tumbling.align_us() == 1'640'995'200'000'000);

  spec = read_as<plan::WindowSpec>(
      gil, "('fold_window', 's', system, tumbling(offset=second / 4), list, max, False)");
  CHECK_FALSE(spec.dt_getter);
  CHECK(spec.clock.gives_item_times());
  CHECK(std::get<window::SlidingWindows>(spec.windows).offset_us() == 250'000);
  CHECK_FALSE(std::get<plan::FoldWindowSpec>(spec.logic).builder.takes_key);

  spec = read_as<plan::WindowSpec>(gil, "('reduce_window', 's', event, session(second), max)");
  CHECK(std::holds_alternative<window::SessionWindows>(spec.windows));
  CHECK(embed::repr(gil, std::get<plan::ReduceWindowSpec>(spec.logic).reducer) ==
        "<built-in function max>");
}

TEST_CASE("what can't be is refused by the step's name") {
  const embed::GilLock gil;
  CHECK(mistake_in(gil, "('batch', 's', 10, -second)") ==
        "batch step 's': timeout must not be negative");
  CHECK(mistake_in(gil, "('batch', 's', '10', second)") ==
        "batch step 's': max_size must be an int, got str: '10'");
  CHECK(mistake_in(gil, "('reduce', 's', 5, bool)") ==
        "reduce step 's': reducer must be a function, got int: 5");
  CHECK(mistake_in(gil, "('collect_window', 's', event, session(-second))") ==
        "collect_window step 's': the gap of a session cannot be negative");
  CHECK(mistake_in(gil, "('collect_window', 's', event, tumbling(length=0 * second))") ==
        "collect_window step 's': the length of a window must be longer than zero");
  CHECK(mistake_in(gil, "('collect_window', 's', event, tumbling(align_to=5))") ==
        "collect_window step 's': align_to must be a datetime with tzinfo timezone.utc, got int: "
        "5");
  CHECK(mistake_in(gil, "('collect_window', 's', event, system)") ==
        "collect_window step 's': types.SimpleNamespace has no length");
  CHECK(mistake_in(gil, "('reduce', 's', max)") ==
        "reduce step 's': a tuple of 3 parts is no such step");
  CHECK(mistake_in(gil, "('reduce', None, max, bool)") ==
        "reduce step 'None': its id must be a str");
}

TEST_CASE("only the six are keyed steps") {
  CHECK(plan::is_keyed_step("fold_window"));
  CHECK_FALSE(plan::is_keyed_step("map"));
}
