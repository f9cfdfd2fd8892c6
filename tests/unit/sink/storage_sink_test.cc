#include "server/sink/storage_sink.h"

#include <doctest/doctest.h>

#include <string>

#include "embed/value.h"
#include "tests/unit/python.h"
#include "tests/unit/sink/sink_test.h"

using namespace machida;

namespace {

// What wallaroo.storage.runtime makes of an application's sink: it writes down what it is told.
constexpr const char* kRunning = R"(
class Running:
    def __init__(self):
        self.calls = []
    def open(self): pass
    def write(self, items, epoch):
        self.calls.append((epoch, list(items)))
    def close(self): pass
it = Running()
)";

sink::StorageSink::Parts parts_of(const embed::Object& running, std::int64_t newest_epoch) {
  const embed::GilLock gil;
  return {.id = "id",
          .people = "Sink",
          .place = {"main", "sink"},
          .running_sink = running.clone(gil),
          .durable = sink::StorageSink::Durable{sink::RecordPickler(gil, embed::Pickling(gil)),
                                                newest_epoch}};
}

embed::Object make_running() {
  const embed::GilLock gil;
  return testing::python(gil, kRunning);
}

// A sink of a server that goes on behind the newest epoch in its store.
struct Storing : testing::SinkTest {
  explicit Storing(std::int64_t newest_epoch)
      : running(make_running()),
        sink(embed::GilLock(), loop, intake, parts_of(running, newest_epoch), letters, metrics,
             {[] {}, [] {}, [] {}}) {}
  ~Storing() { sink.close(kTimeoutMs); }

  void open() {
    sink.open();
    wait([this] { return sink.connected(); });
  }

  // `records`: a Python list's text.
  void write(const std::string& records) {
    const embed::GilLock gil;
    flow::Batch batch;
    for (const embed::Object& record : embed::items(gil, testing::python(gil, "it = " + records)))
      batch.push(record.clone(gil).release());
    sink.write(gil, batch);
    batch.clear(gil);
  }

  void commit(std::int64_t epoch) {
    sink.commit(epoch);
    wait([&] { return sink.committed(epoch); });
  }

  // What the storage was given: (epoch, records) of each call.
  std::string calls() const {
    const embed::GilLock gil;
    return embed::repr(gil, *embed::find_attribute(gil, running, "calls"));
  }

  embed::Object running;
  sink::StorageSink sink;
};

}  // namespace

TEST_CASE("a storage gets an epoch when it is stored, not before, and nothing of the next one") {
  Storing storing(0);
  storing.open();
  storing.write("['a', 'b']");
  storing.turn_for_ms(50);
  CHECK(storing.calls() == "[]");
  storing.sink.end_epoch(1);
  storing.write("['c']");
  storing.turn_for_ms(50);
  CHECK(storing.calls() == "[]");
  CHECK_FALSE(storing.sink.committed(1));
  storing.commit(1);
  CHECK(storing.calls() == "[(1, ['a', 'b'])]");
  storing.turn_for_ms(50);
  CHECK(storing.calls() == "[(1, ['a', 'b'])]");
  storing.sink.end_epoch(2);
  storing.commit(2);
  CHECK(storing.calls() == "[(1, ['a', 'b']), (2, ['c'])]");
  CHECK(storing.sink.drained());
}

TEST_CASE("what was stored before a crash comes to the storage again, with the number it had") {
  sink::RecordChunks outbox;
  {
    Storing storing(0);
    storing.open();
    storing.write("['a']");
    storing.write("['b', 'c']");
    outbox = storing.sink.end_epoch(1);
  }
  Storing again(1);
  {
    const embed::GilLock gil;
    again.sink.recover(gil, outbox);
  }
  CHECK_FALSE(again.sink.committed(1));
  again.write("['d']");
  again.open();
  again.wait([&] { return again.sink.committed(1); });
  CHECK(again.calls() == "[(1, ['a', 'b', 'c'])]");
  again.sink.end_epoch(2);
  again.commit(2);
  CHECK(again.calls() == "[(1, ['a', 'b', 'c']), (2, ['d'])]");
}
