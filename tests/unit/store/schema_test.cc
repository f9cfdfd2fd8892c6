#include "server/store/schema.h"

#include <doctest/doctest.h>

#include <array>

#include "tests/unit/store/support.h"

namespace machida::store {

using testing::make_epoch;
using testing::refusal;
using testing::Said;
using testing::said_by;
using testing::TempDirectory;

namespace {

constexpr const char* kApplication = "Word count";

void add_note(Database& database) { database.run("CREATE TABLE note(text TEXT)"); }

void fill_note(Database& database) { database.run("INSERT INTO note VALUES('kept')"); }

void fail_half_way(Database& database) {
  database.run("DROP TABLE note");
  throw StoreError("no more");
}

// A store of one epoch; nobody has it open.
struct Stored {
  Stored() : directory(temp.path(), Directory::Access::kServe) {
    Store store(directory, 0, kApplication);
    store.commit(make_epoch(1, 30, 100));
    store.close(1);
    said = said_by(store);
  }
  std::string path() const { return temp.file("worker-0.sqlite3"); }
  void change(const char* sql) const { Database(path(), Database::Mode::kServe).run(sql); }
  std::string why_refused() const {
    return refusal([&] { Store(directory, 0, kApplication); });
  }

  TempDirectory temp;
  Directory directory;
  Said said;
};

std::int64_t format_of(Database& database) {
  return database.number("SELECT CAST(value AS INTEGER) FROM meta WHERE name='format'");
}

std::int64_t tables(Database& database) {
  return database.number("SELECT count(*) FROM sqlite_schema WHERE type='table'");
}

}  // namespace

TEST_CASE("a store of an older format is brought to the newest one, step by step") {
  const Stored stored;
  Database database(stored.path(), Database::Mode::kServe);
  const std::int64_t before = tables(database);
  constexpr std::array<Migration, 1> kToSecond = {add_note};
  constexpr std::array<Migration, 2> kToThird = {add_note, fill_note};
  migrate(database, kToSecond);
  CHECK(format_of(database) == 2);
  CHECK(tables(database) == before + 1);
  migrate(database, kToSecond);  // is there already: making the table again would fail
  migrate(database, kToThird);
  migrate(database, kToThird);
  CHECK(format_of(database) == 3);
  CHECK(database.number("SELECT count(*) FROM note") == 1);
  // All that was said of the store before still holds, under a seal that fits.
  const Meta meta = read_meta(database);
  CHECK(meta.application == kApplication);
  CHECK(database.number("SELECT count(*) FROM snap") == 35);
}

TEST_CASE("a step to another format that fails leaves the format before, and is tried again") {
  const Stored stored;
  Database database(stored.path(), Database::Mode::kServe);
  constexpr std::array<Migration, 2> kFailing = {add_note, fail_half_way};
  constexpr std::array<Migration, 2> kWorking = {add_note, fill_note};
  for (int i = 0; i < 2; ++i) {
    CHECK(refusal([&] { migrate(database, kFailing); }) == "no more");
    CHECK(format_of(database) == 2);
    CHECK(database.number("SELECT count(*) FROM note") == 0);
  }
  migrate(database, kWorking);
  CHECK(format_of(database) == 3);
  CHECK(database.number("SELECT count(*) FROM note") == 1);
}

TEST_CASE("a store of a newer format is refused by name and left as it is") {
  const Stored stored;
  {
    Database database(stored.path(), Database::Mode::kServe);
    constexpr std::array<Migration, 1> kToNext = {add_note};
    migrate(database, kToNext);
  }
  const std::string why = stored.why_refused();
  CHECK_MESSAGE(why == stored.path() +
                           ": is of format 2, which a newer version of the server wrote; this one "
                           "reads formats up to 1",
                why);
  Database database(stored.path(), Database::Mode::kServe);
  CHECK(format_of(database) == 2);
}

TEST_CASE("a format that nobody wrote is refused, and nothing is migrated") {
  const Stored stored;
  SUBCASE("one that never was") {
    stored.change("UPDATE meta SET value='0' WHERE name='format'");
    const std::string why = stored.why_refused();
    CHECK_MESSAGE(why.find("is of format 0, which does not exist") != std::string::npos, why);
  }
  SUBCASE("an older one that the seal does not know") {
    Database database(stored.path(), Database::Mode::kServe);
    constexpr std::array<Migration, 2> kSteps = {add_note, fill_note};
    migrate(database, kSteps);
    database.run("UPDATE meta SET value='1' WHERE name='format'");
    const std::string why = refusal([&] { migrate(database, kSteps); });
    CHECK_MESSAGE(why.find("does not match its seal") != std::string::npos, why);
    CHECK(database.number("SELECT count(*) FROM note") == 1);
  }
  SUBCASE("none at all") {
    stored.change("DELETE FROM meta WHERE name='format'");
    const std::string why = stored.why_refused();
    CHECK_MESSAGE(why.find("meta has no 'format'") != std::string::npos, why);
  }
  SUBCASE("no store of this server") {
    stored.change("DROP TABLE meta");
    const std::string why = stored.why_refused();
    CHECK_MESSAGE(why.find("is no store of this server") != std::string::npos, why);
  }
}

}  // namespace machida::store
