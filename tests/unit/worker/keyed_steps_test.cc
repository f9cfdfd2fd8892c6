#include "server/worker/keyed_steps.h"

#include <doctest/doctest.h>

#include "embed/value.h"
#include "server/plan/keyed_reader.h"
#include "tests/unit/flow/keyed_runner.h"

using namespace machida;
using testing::KeyedRunner;

namespace {

constexpr const char* kPrelude = R"(
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
def at(second): return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=second)
def metadata(open_time, close_time): return open_time.second, close_time.second
event = SimpleNamespace(
    dt_getter=lambda item: at(item[0]), wait_for_system_duration=timedelta(seconds=30))
tumbling = SimpleNamespace(length=timedelta(seconds=10), align_to=at(0))
session = SimpleNamespace(gap=timedelta(seconds=5))
)";

// The step of a tuple.
struct Runner : KeyedRunner {
  Runner(const embed::Gil& gil, const std::string& tuple, bool with_metadata = true)
      : KeyedRunner(gil, [&gil, tuple, with_metadata](KeyedRunner& runner) {
          runner.prelude = kPrelude;
          plan::Mistakes mistakes;
          const auto spec =
              plan::read_keyed_step(gil, embed::items(gil, runner.object(tuple)), mistakes);
          REQUIRE(spec);
          const embed::Object metadata =
              with_metadata ? runner.object("metadata") : embed::Object();
          return worker::make_keyed_step(gil, *spec, "flow",
                                         {runner.failures, runner.time, runner.metrics, metadata});
        }) {}
};

}  // namespace

TEST_CASE("each tuple becomes its step, whose states have its id") {
  const embed::GilLock gil;
  Runner batch(gil, "('batch', 'sizes', 2, timedelta(seconds=1))");
  CHECK(batch.run("[('a', 1), ('a', 2)]") == "[('a', [1, 2])]");
  CHECK(batch.step->states()->name() == "sizes");
  CHECK(Runner(gil, "('stateful_map', 's', lambda key: [key], lambda s, v: (s + [v], s), True)")
            .run("[('a', 1), ('a', 2)]") == "[('a', ['a']), ('a', ['a', 1])]");
  CHECK(Runner(gil, "('reduce', 's', max, lambda a: a > 3)").run("[('a', 1), ('a', 5)]") ==
        "[('a', 5)]");
}

TEST_CASE("windows carry metadata, unless they are bare") {
  const embed::GilLock gil;
  const char* const items = "[('a', (1, 'x')), ('a', (2, 'y')), ('b', (11, 'z'))]";
  Runner collect(gil, "('collect_window', 's', event, tumbling)");
  collect.run(items);
  CHECK(collect.eof() ==
        "[('a', ((0, 10), [(1, 'x'), (2, 'y')])), ('b', ((10, 20), [(11, 'z')]))]");
  Runner reduce(gil, "('reduce_window', 's', event, tumbling, lambda a, b: a + b)", false);
  reduce.run(items);
  CHECK(reduce.eof() == "[('a', (1, 'x', 2, 'y')), ('b', (11, 'z'))]");
}

TEST_CASE("a fold over sessions keeps what both of two sessions hold that become one") {
  const embed::GilLock gil;
  Runner fold(gil, "('fold_window', 's', event, session, lambda: 0, lambda a, v: a + v[1], False)");
  fold.run("[('a', (0, 1)), ('a', (8, 10)), ('a', (4, 100))]");
  CHECK(fold.eof() == "[('a', ((0, 8), 111))]");
}

TEST_CASE("keys without an open window are forgotten") {
  const embed::GilLock gil;
  Runner collect(gil, "('collect_window', 's', event, tumbling)");
  collect.run("[('a', (1, 'x')), ('b', (1, 'x'))]");
  CHECK(collect.step->keys() == 2);
  collect.due(40'000'000);
  CHECK(collect.step->keys() == 0);
}
