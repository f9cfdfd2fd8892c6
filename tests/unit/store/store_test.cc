#include "server/store/store.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "server/store/database.h"
#include "tests/unit/store/support.h"

namespace machida::store {

using testing::make_epoch;
using testing::refusal;
using testing::Said;
using testing::said_by;
using testing::TempDirectory;

namespace {

constexpr const char* kApplication = "Word count";

Store open(const Directory& directory) { return Store(directory, 0, kApplication); }

void tidy_up(Store& store) {
  int pieces = 0;
  while (store.tidy()) REQUIRE(++pieces < 100'000);
}

}  // namespace

TEST_CASE("a fresh store has no epoch") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  {
    const Store store = open(directory);
    CHECK(!store.newest());
    CHECK(store.keys() == 0);
    CHECK(store.warning() == "");
  }
  CHECK(!open(directory).newest());
}

TEST_CASE("a reopened store says what was committed, the newest value of each key") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  Said said;
  for (std::int64_t n = 1; n <= 12; ++n) {
    Store store = open(directory);
    CHECK(said_by(store) == said);
    const Epoch epoch = make_epoch(n, 50, 120);
    store.commit(epoch);
    said.apply(epoch);
    CHECK(said_by(store) == said);
    store.close(n);
    said.close();
    CHECK(said_by(store) == said);
  }
  CHECK(said_by(open(directory)) == said);
}

TEST_CASE("an epoch that is not closed keeps its outbox") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  Said said;
  open(directory).commit(make_epoch(1, 3, 10));
  said.apply(make_epoch(1, 3, 10));
  Store store = open(directory);
  REQUIRE(store.newest());
  CHECK(!store.newest()->closed);
  CHECK(store.newest()->epoch.outboxes.size() == 2);
  CHECK(*store.newest()->epoch.outboxes[0].chunks[1] == "");
  CHECK(said_by(store) == said);
  store.close(1);
  store.close(1);  // once more is nothing
  CHECK(store.newest()->epoch.outboxes.empty());
  store.commit(make_epoch(2, 3, 10));
}

TEST_CASE("an epoch without outputs need not be closed") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  Store store = open(directory);
  for (std::int64_t n = 1; n <= 3; ++n) {
    Epoch epoch;
    epoch.number = n;
    store.commit(epoch);
  }
  CHECK(store.newest()->epoch.number == 3);
}

TEST_CASE("a store of another application, worker or format is refused by name") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  open(directory).commit(make_epoch(1, 3, 10));
  std::string why = refusal([&] { Store(directory, 0, "Alphabet"); });
  CHECK_MESSAGE(why.find("of the application 'Word count', not of 'Alphabet'") != std::string::npos,
                why);
  std::filesystem::copy(temp.file("worker-0.sqlite3"), temp.file("worker-1.sqlite3"));
  why = refusal([&] { Store(directory, 1, kApplication); });
  CHECK_MESSAGE(why.find("of worker 0, not of worker 1") != std::string::npos, why);
}

TEST_CASE("a store that lost a file is refused, not begun anew") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  {
    Store store = open(directory);
    store.commit(make_epoch(1, 3, 10));
    store.close(1);
  }
  SUBCASE("the store itself") {
    std::filesystem::remove(temp.file("worker-0.sqlite3"));
    const std::string why = refusal([&] { open(directory); });
    CHECK_MESSAGE(why.find("says that epoch 1 was committed") != std::string::npos, why);
    CHECK(!std::filesystem::exists(temp.file("worker-0.sqlite3")));
  }
  SUBCASE("its head") {
    std::filesystem::remove(temp.file("worker-0.head"));
    const std::string why = refusal([&] { open(directory); });
    CHECK_MESSAGE(why.find("worker-0.head: is missing") != std::string::npos, why);
    const Store store(directory, 0, kApplication, Damage::kAcceptOlder);
    CHECK(store.newest()->epoch.number == 1);
    CHECK(store.warning() != "");
    CHECK(refusal([&] { open(directory); }) == "");
  }
}

TEST_CASE("a store may be ahead of its head, since a process may end between the two") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  Store store = open(directory);
  store.commit(make_epoch(1, 3, 10));
  store.close(1);
  const std::string head = testing::read_file(temp.file("worker-0.head"));
  store.commit(make_epoch(2, 3, 10));
  TempDirectory copy;
  copy.copy_from(temp.path());
  testing::write_file(copy.file("worker-0.head"), head);
  const Directory copied(copy.path(), Directory::Access::kServe);
  CHECK(open(copied).newest()->epoch.number == 2);
}

TEST_CASE("a store that is older than its head is refused, or used with a warning") {
  const TempDirectory temp;
  TempDirectory old;
  const Directory directory(temp.path(), Directory::Access::kServe);
  Said said;
  {
    Store store = open(directory);
    store.commit(make_epoch(1, 3, 10));
    store.close(1);
    said = said_by(store);
  }
  old.copy_from(temp.path());
  {
    Store store = open(directory);
    store.commit(make_epoch(2, 3, 10));
    store.close(2);
  }
  std::filesystem::copy(temp.file("worker-0.head"), old.file("worker-0.head"),
                        std::filesystem::copy_options::overwrite_existing);
  const Directory stale(old.path(), Directory::Access::kServe);
  const std::string why = refusal([&] { open(stale); });
  CHECK_MESSAGE(
      why.find("epoch 2 was committed, but the store ends with epoch 1") != std::string::npos, why);
  {
    Store store(stale, 0, kApplication, Damage::kAcceptOlder);
    CHECK(store.warning().find("continuing from epoch 1") != std::string::npos);
    CHECK(said_by(store) == said);
    store.commit(make_epoch(2, 4, 10));
  }
  CHECK(open(stale).newest()->epoch.number == 2);
}

TEST_CASE("a head that was written for another epoch of the same number is refused") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  open(directory).commit(make_epoch(1, 3, 10));
  TempDirectory other;
  other.copy_from(temp.path());
  const auto go_on = [](const Directory& where, int keys) {
    Store store = open(where);
    store.close(1);
    store.commit(make_epoch(2, keys, 10));
  };
  go_on(directory, 3);
  {
    const Directory elsewhere(other.path(), Directory::Access::kServe);
    go_on(elsewhere, 4);
  }
  testing::write_file(temp.file("worker-0.head"), testing::read_file(other.file("worker-0.head")));
  const std::string why = refusal([&] { open(directory); });
  CHECK_MESSAGE(why.find("was written for another epoch 2") != std::string::npos, why);
}

TEST_CASE("a head of which only the first mark was written belongs to a new store") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  open(directory);
  testing::truncate_file(temp.file("worker-0.head"), 100);
  open(directory).commit(make_epoch(1, 3, 10));
  CHECK(open(directory).newest()->epoch.number == 1);
}

TEST_CASE("what is not as it was committed is refused") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  open(directory).commit(make_epoch(1, 3, 10));
  std::string change, expected;
  SUBCASE("a state's value") {
    change = "UPDATE snap SET value=x'00' WHERE id=2";
    expected = "its rows do not match their digest";
  }
  SUBCASE("a state's name") {
    change = "UPDATE snap SET state=state || 's' WHERE id=2";
    expected = "its rows do not match their digest";
  }
  SUBCASE("a position") {
    change = "UPDATE position SET value=value + 1";
    expected = "its positions do not match their digest";
  }
  SUBCASE("a position's part") {
    change = "UPDATE position SET part=part || '1'";
    expected = "its positions do not match their digest";
  }
  SUBCASE("an output's chunk") {
    change = "UPDATE outbox SET chunk=x'00'";
    expected = "its outbox does not match its digest";
  }
  SUBCASE("an output's sink") {
    change = "UPDATE outbox SET sink=sink || '1'";
    expected = "its outbox does not match its digest";
  }
  SUBCASE("an epoch's row") {
    change = "UPDATE epoch SET time_ms=time_ms + 1";
    expected = "its row does not match its seal";
  }
  SUBCASE("an epoch that is said to be closed") {
    change = "UPDATE epoch SET closed=1";
    expected = "its row does not match its seal";
  }
  SUBCASE("a state's epoch") {
    change = "UPDATE snap SET epoch=2 WHERE id=2";
    expected = "row 2 says epoch 2";
  }
  SUBCASE("an output of another epoch") {
    change = "INSERT INTO outbox(epoch, box, sink, chunk) VALUES(7, 0, 'sink', NULL)";
    expected = "an outbox of another epoch";
  }
  SUBCASE("a row where the next epoch's go") {
    change = "INSERT INTO snap(epoch, state) VALUES(2, 'state')";
    expected = "epoch 1: 1 rows behind it are of no epoch";
  }
  SUBCASE("a position of the next epoch") {
    change = "INSERT INTO position VALUES(2, 0, 'source', '', 0)";
    expected = "epoch 1: 1 rows behind it are of no epoch";
  }
  Database(temp.file("worker-0.sqlite3"), Database::Mode::kServe).run(change.c_str());
  const std::string why = refusal([&] { open(directory); });
  CHECK_MESSAGE(why.find(expected) != std::string::npos, why);
}

TEST_CASE("a store that rows of no epoch were put into goes on with its newest epoch") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  open(directory).commit(make_epoch(1, 3, 10));
  const Said said = said_by(open(directory));
  Database(temp.file("worker-0.sqlite3"), Database::Mode::kServe)
      .run("INSERT INTO snap(epoch, state) VALUES(2, 'state')");
  Store store(directory, 0, kApplication, Damage::kAcceptOlder);
  CHECK(store.warning().find("continuing from epoch 1") != std::string::npos);
  CHECK(said_by(store) == said);
  store.close(1);
  store.commit(make_epoch(2, 3, 10));
}

// A limit on the size of files is the full device that needs no root; SQLite reports it likewise.
TEST_CASE("a commit for which there is no room leaves nothing and can be tried again") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  Store store = open(directory);
  Said said;
  store.commit(make_epoch(1, 10, 100));
  store.close(1);
  said = said_by(store);
  const Epoch large = make_epoch(2, 4000, 5000, 200);

  rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limited = before;
  limited.rlim_cur = 400'000;
  REQUIRE(setrlimit(RLIMIT_FSIZE, &limited) == 0);
  bool failed = false;
  try {
    store.commit(large);
  } catch (const StoreFull&) {
    failed = true;
  } catch (const StoreError&) {
    failed = true;  // EFBIG is not ENOSPC: the same way back, told otherwise
  }
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);

  CHECK(failed);
  CHECK(said_by(store) == said);
  {
    TempDirectory killed;  // before it was tried again
    killed.copy_from(temp.path());
    CHECK(said_by(open(Directory(killed.path(), Directory::Access::kServe))) == said);
  }
  store.commit(large);
  said.apply(large);
  CHECK(said_by(store) == said);
  tidy_up(store);
}

}  // namespace machida::store
