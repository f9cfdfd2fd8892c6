// What keyed steps remember, through the store and back.
#include <doctest/doctest.h>

#include "embed/value.h"
#include "server/checkpoint/recovery.h"
#include "server/checkpoint/state_rows.h"
#include "server/plan/keyed_reader.h"
#include "server/store/directory.h"
#include "server/store/store.h"
#include "server/worker/keyed_steps.h"
#include "tests/unit/flow/keyed_runner.h"
#include "tests/unit/store/support.h"

using namespace machida;
using embed::Gil;
using testing::KeyedRunner;

namespace {

constexpr const char* kPrelude = R"(
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
def at(second): return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=second)
event = SimpleNamespace(dt_getter=at, wait_for_system_duration=timedelta(seconds=30))
session = SimpleNamespace(gap=timedelta(seconds=5))
)";

// A dataflow of one step with a store.
class Checkpointed {
 public:
  Checkpointed(const Gil& gil, const std::string& path, const std::string& tuple)
      : gil_(gil),
        directory_(path, store::Directory::Access::kServe),
        store_(directory_, 0, "flow"),
        rows_(embed::Pickling(gil), embed::Pickling(gil)),
        runner_(gil, [&gil, tuple](KeyedRunner& runner) {
          runner.prelude = kPrelude;
          plan::Mistakes mistakes;
          const auto spec =
              plan::read_keyed_step(gil, embed::items(gil, runner.object(tuple)), mistakes);
          REQUIRE(spec);
          return worker::make_keyed_step(gil, *spec, "flow",
                                         {runner.failures, runner.time, runner.metrics, no_class_});
        }) {
    const auto newest = store_.newest();
    epoch_ = newest ? newest->epoch.number : 0;
    restored_ = checkpoint::restore_states(gil, store_, embed::Pickling(gil), embed::Pickling(gil),
                                           {states()});
    states()->write_to(rows_);
  }

  std::string run(const std::string& items) { return runner_.run(items); }
  std::string eof() { return runner_.eof(); }
  // A long one, of which the store is told piece by piece while the next one has begun.
  void end_epoch() {
    while (states()->write_some(gil_, 1)) continue;
    states()->end_epoch();
  }
  void commit() {
    while (states()->write_some(gil_, 1)) continue;
    store::Epoch epoch;
    epoch.number = ++epoch_;
    epoch.states = rows_.take();
    store_.commit(epoch);
    store_.close(epoch_);
    while (store_.tidy()) continue;
  }
  std::uint64_t restored() const { return restored_; }
  std::uint64_t keys_in_store() const { return store_.keys(); }

 private:
  flow::EpochStates* states() { return runner_.step->states(); }

  static inline const embed::Object no_class_;
  const Gil& gil_;
  store::Directory directory_;
  store::Store store_;
  checkpoint::RowWriter rows_;
  KeyedRunner runner_;
  std::int64_t epoch_ = 0;
  std::uint64_t restored_ = 0;
};

}  // namespace

TEST_CASE("a keyed step comes back as it was at the end of the epoch, without what it forgot") {
  const embed::GilLock gil;
  const testing::TempDirectory temp;
  const char* const tuple =
      "('stateful_map', 'sums', lambda: 0, lambda s, v: (s + v if v else None, s + v), False)";
  {
    Checkpointed flow(gil, temp.path(), tuple);
    flow.run("[('a', 1), ('b', 2), ('c', 3), ('brief', 1), ('brief', 0)]");
    flow.end_epoch();
    flow.run("[('a', 100), ('b', 0), ('new', 5)]");  // of the next epoch, which is lost
    flow.commit();
  }
  {
    Checkpointed flow(gil, temp.path(), tuple);
    CHECK(flow.restored() == 3);
    CHECK(flow.run("[('a', 1), ('b', 0), ('new', 5), ('brief', 1)]") ==
          "[('a', 2), ('b', 2), ('new', 5), ('brief', 1)]");
    flow.end_epoch();
    flow.commit();
    CHECK(flow.keys_in_store() == 4);
  }
  Checkpointed flow(gil, temp.path(), tuple);
  CHECK(flow.restored() == 4);
  CHECK(flow.run("[('b', 1), ('c', 1)]") == "[('b', 1), ('c', 4)]");
}

TEST_CASE("open windows come back with what they hold, and closed ones do not") {
  const embed::GilLock gil;
  const testing::TempDirectory temp;
  const char* const tuple = "('collect_window', 'w', event, session)";
  {
    Checkpointed flow(gil, temp.path(), tuple);
    CHECK(flow.run("[('a', 10), ('a', 18), ('b', 1), ('b', 50)]") == "[('b', [1])]");
    flow.end_epoch();
    flow.commit();
  }
  {
    Checkpointed flow(gil, temp.path(), tuple);
    CHECK(flow.restored() == 2);
    CHECK(flow.run("[('a', 14)]") == "[]");
    CHECK(flow.eof() == "[('a', [10, 14, 18]), ('b', [50])]");
    flow.end_epoch();
    flow.commit();
    CHECK(flow.keys_in_store() == 0);
  }
  CHECK(Checkpointed(gil, temp.path(), tuple).restored() == 0);
}

TEST_CASE("an accumulator that can't be pickled is named by step and key") {
  const embed::GilLock gil;
  const testing::TempDirectory temp;
  Checkpointed flow(gil, temp.path(), "('reduce', 'r', max, lambda a: False)");
  flow.run("[('a', lambda: 0)]");
  flow.end_epoch();
  CHECK_THROWS_WITH_AS(flow.commit(), doctest::Contains("state 'r' of key 'a' can't be saved"),
                       checkpoint::StateNotSaved);
}
