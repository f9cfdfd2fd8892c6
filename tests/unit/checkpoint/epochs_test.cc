#include "server/checkpoint/epochs.h"

#include <doctest/doctest.h>

#include <deque>
#include <filesystem>

#include "embed/value.h"
#include "server/checkpoint/recovery.h"
#include "server/store/store.h"
#include "tests/unit/python.h"

using namespace machida;

namespace {

// A directory of its own, gone at the end.
struct Scratch {
  Scratch() {
    std::string name = std::filesystem::temp_directory_path() / "machida-XXXXXX";
    path = mkdtemp(name.data());
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::string path;
};

// Does everything at once, but only when asked: what is to be done waits in a queue.
struct Steps final : checkpoint::Surroundings {
  std::deque<std::function<void()>> queue;
  checkpoint::Epochs* epochs = nullptr;

  void offload(std::function<void()> work, std::function<void()> done) override {
    queue.push_back([work = std::move(work), done = std::move(done)] {
      work();
      done();
    });
  }
  void work_soon() override {
    queue.push_back([this] { epochs->work(); });
  }
  void work_after(std::uint64_t) override { work_soon(); }
  void run() {
    for (int i = 0; i < 1000 && !queue.empty(); ++i) {
      const std::function<void()> next = std::move(queue.front());
      queue.pop_front();
      next();
    }
  }
};

struct FakeSource final : flow::EpochSource {
  std::int64_t offset = 0;
  std::int64_t told = -1;
  void positions(std::vector<Position>& out) const override { out.push_back({"fake", "", offset}); }
  void passed(const std::vector<Position>& positions) override { told = positions.at(0).value; }
};

struct FakeSink final : flow::EpochSink {
  std::string name = "sink";
  bool outputs = false;
  std::vector<std::int64_t> asked;
  std::int64_t done = 0;
  const std::string& id() const override { return name; }
  bool has_outputs() const override { return outputs; }
  std::vector<std::shared_ptr<const std::string>> end_epoch(std::int64_t) override {
    if (!std::exchange(outputs, false)) return {};
    return {std::make_shared<const std::string>("bytes")};
  }
  void commit(std::int64_t epoch) override { asked.push_back(epoch); }
  bool committed(std::int64_t epoch) const override { return done >= epoch; }
};

struct FakeDelivery final : flow::Delivery {
  std::uint64_t marks = 0, done = 0;
  std::uint64_t mark() override { return ++marks; }
  bool delivered(std::uint64_t mark) override { return done >= mark; }
};

// The only worker there is.
struct Alone final : checkpoint::Accord {
  checkpoint::Epochs* epochs = nullptr;
  std::int64_t epoch = 0;
  void want_end() override { epochs->end_epoch(++epoch); }
  void stored(std::int64_t number) override { epochs->commit(number); }
  void committed(std::int64_t number) override { epochs->close(number); }
  void closed(std::int64_t) override {}
};

struct Rig {
  // `early`: a key whose state changes before the epochs begin.
  explicit Rig(const embed::Gil& gil, const std::string& path, const char* early = nullptr)
      : directory(path, store::Directory::Access::kServe),
        store(directory, 0, "app"),
        table(gil, "counts", testing::python(gil, "it = list"), flow::UnlistedKeys::kCreate),
        rows(embed::Pickling(gil), embed::Pickling(gil)) {
    const std::optional<store::Store::Newest> newest = store.newest();
    if (newest)
      restored = checkpoint::restore_states(gil, store, embed::Pickling(gil), embed::Pickling(gil),
                                            {&table});
    rows.write_from({&table});
    if (early) append(gil, early, "early");
    epochs.emplace(checkpoint::Epochs::Parts{.store = store,
                                             .rows = rows,
                                             .states = {&table},
                                             .sources = {&source},
                                             .deliveries = {&delivery},
                                             .sinks = {&sink},
                                             .surroundings = steps,
                                             .accord = accord,
                                             .on_closed = [this] { ++closed; }},
                   newest ? newest->epoch.number : 0,
                   newest ? newest->epoch.positions : std::vector<Position>(), metrics);
    steps.epochs = &*epochs;
    accord.epochs = &*epochs;
    if (newest) accord.epoch = newest->epoch.number;
  }

  void append(const embed::Gil& gil, const char* key, const char* value) {
    const std::size_t place = table.find(gil, embed::make_str(gil, key).get());
    const embed::Object state = embed::Object::borrow(gil, table.use(gil, place));
    embed::call(gil, testing::python(gil, "def it(state, x): state.append(x)"), state,
                embed::make_str(gil, value));
    table.changed(place);
  }

  store::Directory directory;
  store::Store store;
  metrics::Registry metrics;
  flow::StateTable table;
  checkpoint::RowWriter rows;
  FakeSource source;
  FakeSink sink;
  FakeDelivery delivery;
  Steps steps;
  Alone accord;
  std::optional<checkpoint::Epochs> epochs;
  std::uint64_t restored = 0;
  int closed = 0;
};

}  // namespace

TEST_CASE("an epoch is stored after its outputs were delivered, committed after it was stored") {
  const Scratch scratch;
  {
    std::optional<embed::GilLock> gil(std::in_place);
    Rig rig(*gil, scratch.path);
    rig.append(*gil, "a", "1");
    rig.sink.outputs = true;
    rig.source.offset = 7;
    rig.epochs->end();
    rig.append(*gil, "a", "2");  // belongs to the next one
    rig.steps.run();
    CHECK_FALSE(rig.store.newest());
    CHECK(rig.sink.asked.empty());
    rig.delivery.done = 1;
    rig.steps.work_soon();
    rig.steps.run();
    CHECK(rig.sink.asked == std::vector<std::int64_t>{1});
    CHECK(rig.closed == 0);
    rig.sink.done = 1;
    rig.steps.work_soon();
    rig.steps.run();
    CHECK(rig.closed == 1);
    CHECK(rig.source.told == 7);
    CHECK_FALSE(rig.epochs->all_closed());  // "2" came later
  }
  const embed::GilLock gil;
  const Rig again(gil, scratch.path);
  CHECK(again.restored == 1);
  CHECK(embed::repr(gil, again.table.snapshot(gil)) == "{'a': ['1']}");
  CHECK(again.store.newest()->epoch.positions == std::vector<Position>{{"fake", "", 7}});
}

TEST_CASE("what changed before the epochs began is not forgotten by the first of them") {
  const Scratch scratch;
  const embed::GilLock gil;
  {
    Rig rig(gil, scratch.path, "a");
    rig.delivery.done = 1;
    rig.sink.done = 1;
    rig.epochs->end();
    rig.steps.run();
    CHECK(rig.closed == 1);
  }
  const Rig again(gil, scratch.path);
  CHECK(embed::repr(gil, again.table.snapshot(gil)) == "{'a': ['early']}");
}

TEST_CASE("an epoch in which nothing happened is not ended") {
  const Scratch scratch;
  const embed::GilLock gil;
  Rig rig(gil, scratch.path);
  rig.delivery.done = 100;
  rig.sink.done = 100;
  rig.epochs->end();
  rig.steps.run();
  CHECK(rig.closed == 1);  // the first one: where the source began
  rig.epochs->end();
  rig.steps.run();
  CHECK(rig.closed == 1);
  CHECK(rig.epochs->all_closed());
  rig.source.offset = 1;
  CHECK_FALSE(rig.epochs->all_closed());
  rig.epochs->end();
  rig.steps.run();
  CHECK(rig.closed == 2);
}

TEST_CASE("a state that can't be pickled is named with its key") {
  const Scratch scratch;
  const embed::GilLock gil;
  Rig rig(gil, scratch.path);
  const std::size_t place = rig.table.find(gil, embed::make_str(gil, "bad one").get());
  embed::call(gil, testing::python(gil, "def it(state): state.append(lambda: 0)"),
              embed::Object::borrow(gil, rig.table.use(gil, place)));
  rig.table.changed(place);
  std::string what;
  try {
    rig.epochs->end();
    rig.steps.run();
  } catch (const checkpoint::StateNotSaved& error) {
    what = error.what();
  }
  CHECK(what.find("state 'counts' of key 'bad one' can't be saved") != std::string::npos);
  CHECK_THROWS_AS(
      checkpoint::try_fresh_states(gil, embed::Pickling(gil),
                                   {std::make_unique<flow::StateTable>(
                                        gil, "s", testing::python(gil, "it = lambda: (lambda: 0)"),
                                        flow::UnlistedKeys::kCreate)
                                        .get()}),
      checkpoint::RecoveryError);
}
