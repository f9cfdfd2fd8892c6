// Whatever is damaged: a store is refused, or it says exactly what was committed last. Asked to, it
// goes back to an older epoch, and says so.
#include <doctest/doctest.h>

#include <filesystem>
#include <memory>

#include "server/store/rebuild.h"
#include "tests/unit/store/support.h"

namespace machida::store {

using testing::make_epoch;
using testing::Said;
using testing::said_by;
using testing::TempDirectory;

namespace {

constexpr const char* kApplication = "Word count";
constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kLogHeaderBytes = 32;  // of SQLite's write-ahead log
constexpr std::uint64_t kFrameHeaderBytes = 24;

// A store with a base, epochs behind it, and the newest ones in the write-ahead log only; as it is
// when the server is killed.
struct Killed {
  TempDirectory files;
  std::vector<Said> said;  // by epoch
  Said newest_open;        // before it was closed, which may be lost with the log's end

  Killed() : said(1) {
    const TempDirectory temp;
    const Directory directory(temp.path(), Directory::Access::kServe);
    auto store = std::make_unique<Store>(directory, 0, kApplication);
    const auto run = [&](std::int64_t from, std::int64_t to, int keys) {
      for (std::int64_t n = from; n <= to; ++n) {
        const Epoch epoch = make_epoch(n, keys, 700, 20);
        store->commit(epoch);
        Said now = said.back();
        now.apply(epoch);
        newest_open = now;
        store->close(n);
        now.close();
        said.push_back(now);
      }
    };
    run(1, 22, 1500);
    while (store->tidy()) continue;
    store = nullptr;
    store = std::make_unique<Store>(directory, 0, kApplication);
    run(23, 26, 60);
    files.copy_from(temp.path());
  }
};

struct Outcome {
  bool refused = false;
  std::string why;
  std::string warning;
  Said said;
};

Outcome opened(const TempDirectory& files, Damage damage) {
  Outcome outcome;
  const Directory directory(files.path(), Directory::Access::kServe);
  try {
    const Store store(directory, 0, kApplication, damage);
    outcome.warning = store.warning();
    outcome.said = said_by(store);
  } catch (const StoreError& error) {
    outcome.refused = true;
    outcome.why = error.what();
  }
  return outcome;
}

struct Tally {
  int cases = 0, refused = 0, whole = 0, older = 0, hopeless = 0;
};

// Opens the damaged files as they are, and with leave to go back.
void check(const Killed& killed, const TempDirectory& damaged, Tally& tally) {
  ++tally.cases;
  TempDirectory again;
  again.copy_from(damaged.path());
  const Outcome strict = opened(damaged, Damage::kRefuse);
  if (strict.refused) {
    ++tally.refused;
    CHECK_MESSAGE(strict.why.find(damaged.path() + "/worker-0") != std::string::npos, strict.why);
  } else {
    ++tally.whole;
    CHECK(strict.warning == "");
    CHECK((strict.said == killed.said.back() || strict.said == killed.newest_open));
  }
  const Outcome lenient = opened(again, Damage::kAcceptOlder);
  if (lenient.refused) {
    ++tally.hopeless;
    CHECK(strict.refused);
    return;
  }
  CHECK(strict.refused == !lenient.warning.empty());
  if (!strict.refused) return;
  ++tally.older;
  const auto epoch = static_cast<std::size_t>(lenient.said.epoch);
  REQUIRE(epoch < killed.said.size());
  CHECK((lenient.said == killed.said[epoch] ||
         (epoch + 1 == killed.said.size() && lenient.said == killed.newest_open)));
  CHECK(lenient.warning.find("continuing from epoch " + std::to_string(epoch)) !=
        std::string::npos);
  // From then on it is a store like any other.
  const Outcome next = opened(again, Damage::kRefuse);
  CHECK_MESSAGE(!next.refused, next.why);
  CHECK(next.said == lenient.said);
}

std::vector<std::string> files_of_store(const TempDirectory& files) {
  std::vector<std::string> names;
  for (const std::string& name : files.names())
    if (name.starts_with("worker-0")) names.push_back(name);
  return names;
}

const Killed& killed() {
  static const Killed killed;
  return killed;
}

}  // namespace

TEST_CASE("the store that is damaged below has a base, a log and a head") {
  std::string all;
  for (const std::string& name : files_of_store(killed().files)) all += name + " ";
  CHECK(all ==
        "worker-0.base-21.sqlite3 worker-0.head worker-0.sqlite3 worker-0.sqlite3-shm "
        "worker-0.sqlite3-wal ");
  TempDirectory copy;
  copy.copy_from(killed().files.path());
  const Outcome outcome = opened(copy, Damage::kRefuse);
  CHECK_MESSAGE(!outcome.refused, outcome.why);
  CHECK(outcome.said == killed().said.back());
}

TEST_CASE("a flipped byte in any page is refused, or changes nothing") {
  Tally tally;
  TempDirectory damaged;
  std::uint64_t chance = 12345;
  for (const std::string& name : files_of_store(killed().files)) {
    const std::uint64_t size = std::filesystem::file_size(killed().files.file(name));
    for (std::uint64_t page = 0; page < size; page += kPageBytes) {
      chance = chance * 6364136223846793005u + 1442695040888963407u;
      const std::uint64_t offset =
          page + (chance >> 33) % std::min<std::uint64_t>(kPageBytes, size - page);
      damaged.copy_from(killed().files.path());
      testing::flip(damaged.file(name), offset, static_cast<unsigned char>(1u << (chance >> 61)));
      CAPTURE(name);
      CAPTURE(offset);
      check(killed(), damaged, tally);
    }
  }
  CHECK(tally.refused > 10);
  CHECK(tally.older > 10);
}

TEST_CASE("a flipped byte anywhere in headers is refused, or changes nothing") {
  Tally tally;
  TempDirectory damaged;
  for (const char* name :
       {"worker-0.sqlite3", "worker-0.sqlite3-wal", "worker-0.base-21.sqlite3", "worker-0.head"}) {
    for (std::uint64_t offset = 0; offset < 100; offset += 3) {
      damaged.copy_from(killed().files.path());
      testing::flip(damaged.file(name), offset, 0xff);
      CAPTURE(name);
      CAPTURE(offset);
      check(killed(), damaged, tally);
    }
  }
}

TEST_CASE("a file cut at any page or frame is refused, or nothing is lost") {
  Tally tally;
  TempDirectory damaged;
  for (const std::string& name : files_of_store(killed().files)) {
    // The write-ahead log has frames: a page with a header of their own.
    const bool is_log = name.ends_with("-wal");
    const std::uint64_t first = is_log ? kLogHeaderBytes : 0;
    const std::uint64_t step = kPageBytes + (is_log ? kFrameHeaderBytes : 0);
    const std::uint64_t size = std::filesystem::file_size(killed().files.file(name));
    const auto cut_at = [&](std::uint64_t bytes) {
      if (bytes >= size) return;
      damaged.copy_from(killed().files.path());
      testing::truncate_file(damaged.file(name), bytes);
      CAPTURE(name);
      CAPTURE(bytes);
      check(killed(), damaged, tally);
    };
    cut_at(0);
    for (std::uint64_t bytes = first, n = 0; bytes < size; bytes += step, ++n) {
      cut_at(bytes);
      if (n % 4 == 0) cut_at(bytes + kFrameHeaderBytes);
    }
  }
  CHECK(tally.cases > 400);
}

// The newest epoch's mark is in the head's first slot, the second has the one before.
TEST_CASE("an epoch is missed that the log has lost with its end and the head with its mark") {
  const std::string wal = "worker-0.sqlite3-wal";
  const std::uint64_t step = kPageBytes + kFrameHeaderBytes;
  const std::uint64_t size = std::filesystem::file_size(killed().files.file(wal));
  TempDirectory damaged;
  int refused = 0;
  for (std::uint64_t bytes = kLogHeaderBytes; bytes <= size; bytes += step) {
    CAPTURE(bytes);
    damaged.copy_from(killed().files.path());
    testing::flip(damaged.file("worker-0.head"), 20, 1);
    testing::truncate_file(damaged.file(wal), bytes);
    const Outcome strict = opened(damaged, Damage::kRefuse);
    if (!strict.refused) {
      CHECK((strict.said == killed().said.back() || strict.said == killed().newest_open));
      continue;
    }
    ++refused;
    CHECK_MESSAGE(strict.why.find("worker-0.head: ") != std::string::npos, strict.why);
    const Outcome lenient = opened(damaged, Damage::kAcceptOlder);
    CHECK((lenient.refused || !lenient.warning.empty()));
  }
  CHECK(refused > 4);
}

TEST_CASE("a missing file is refused, or nothing is lost") {
  Tally tally;
  TempDirectory damaged;
  for (const std::string& name : files_of_store(killed().files)) {
    damaged.copy_from(killed().files.path());
    std::filesystem::remove(damaged.file(name));
    CAPTURE(name);
    check(killed(), damaged, tally);
  }
}

TEST_CASE("a store that was refused is left as it was") {
  TempDirectory damaged;
  damaged.copy_from(killed().files.path());
  const std::string wal = damaged.file("worker-0.sqlite3-wal");
  testing::flip(wal, std::filesystem::file_size(wal) / 2, 1);
  const std::string before = testing::read_file(wal);
  const std::string store_before = testing::read_file(damaged.file("worker-0.sqlite3"));
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = opened(damaged, Damage::kRefuse);
    CHECK(outcome.refused);
    CHECK(testing::read_file(wal) == before);
    CHECK(testing::read_file(damaged.file("worker-0.sqlite3")) == store_before);
  }
}

TEST_CASE("going back to an older epoch can be interrupted anywhere") {
  const auto path = [](const TempDirectory& files, const char* name) { return files.file(name); };
  TempDirectory half;  // the older epoch's store is complete, the damaged one still in its place
  half.copy_from(killed().files.path());
  testing::flip(half.file("worker-0.sqlite3"),
                std::filesystem::file_size(half.file("worker-0.sqlite3")) - 50, 1);
  {
    const Names names(0);
    auto database = std::make_unique<Database>(half.file(names.store), Database::Mode::kServe);
    database->keep_log_when_closed(true);
    Contents contents = read_contents(*database, read_meta(*database), half.path(), names,
                                      read_head(half.file(names.head)));
    while (contents.records.back().number > 24) contents.records.pop_back();
    contents.positions = read_positions(*database, contents.records.back());
    contents.outboxes.clear();
    find_newest_rows(*database, contents);
    rebuild(std::move(database), std::move(contents), half.path(), names);
  }
  TempDirectory interrupted;
  interrupted.copy_from(half.path());
  SUBCASE("before anything was put aside") {}
  SUBCASE("when the log was put aside") {
    std::filesystem::rename(path(interrupted, "worker-0.sqlite3-wal"),
                            path(interrupted, "worker-0.damaged.sqlite3-wal"));
  }
  SUBCASE("when the store was put aside") {
    std::filesystem::rename(path(interrupted, "worker-0.sqlite3-wal"),
                            path(interrupted, "worker-0.damaged.sqlite3-wal"));
    std::filesystem::rename(path(interrupted, "worker-0.sqlite3"),
                            path(interrupted, "worker-0.damaged.sqlite3"));
  }
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = opened(interrupted, Damage::kRefuse);
    CHECK_MESSAGE(!outcome.refused, outcome.why);
    CHECK(outcome.said == killed().said[24]);
  }
  CHECK(std::filesystem::exists(interrupted.file("worker-0.damaged.sqlite3")));
}

}  // namespace machida::store
