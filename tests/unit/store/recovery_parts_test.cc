#include "server/store/recovery_parts.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include "server/store/database.h"
#include "tests/unit/store/support.h"

namespace machida::store {

using testing::TempDirectory;

namespace {

using States = std::map<std::string, std::string>;  // of one step: key -> value

constexpr std::uint32_t kFiles = 3;
constexpr std::int64_t kSecondUs = 1'000'000;

// A change of each key given; no value: the key is forgotten.
std::vector<StateRows> rows_of(const std::map<std::string, std::optional<std::string>>& changes) {
  StateRows rows{"step", {}};
  for (const auto& [key, value] : changes) rows.rows.push_back({testing::text_key(key), value});
  return {rows};
}

States states_of(RecoveryParts& parts) {
  States states;
  parts.read_states([&](const std::string& state, const Key& key, std::string_view value) {
    CHECK(state == "step");
    CHECK(states.emplace(key.bytes, value).second);
  });
  return states;
}

PartsError::Kind refusal_of(const std::string& directory) {
  try {
    const RecoveryParts parts(directory, 0);
  } catch (const PartsError& error) {
    return error.kind();
  }
  FAIL("the partitions were accepted");
  return {};
}

void copy_part(const TempDirectory& from, const TempDirectory& to, int number) {
  const std::string name = "part-" + std::to_string(number) + ".sqlite3";
  std::filesystem::copy_file(from.file(name), to.file(name),
                             std::filesystem::copy_options::overwrite_existing);
}

std::int64_t rows_in(const TempDirectory& directory) {
  std::int64_t rows = 0;
  for (std::uint32_t number = 0; number < kFiles; ++number)
    rows += Database(directory.file("part-" + std::to_string(number) + ".sqlite3"),
                     Database::Mode::kInspect)
                .number("SELECT count(*) FROM snaps");
  return rows;
}

}  // namespace

TEST_CASE("recovery partitions give back the newest value of every key that was not forgotten") {
  const TempDirectory directory;
  RecoveryParts::create(directory.path(), kFiles);
  std::mt19937 random(1);
  States expected;
  std::uint64_t epoch = 0;
  for (int run = 0; run < 5; ++run) {
    RecoveryParts parts(directory.path(), run % 2 ? 10 * kSecondUs : 0);
    CHECK(parts.epoch() == epoch);
    CHECK(states_of(parts) == expected);
    for (int i = 0; i < 20; ++i) {
      std::map<std::string, std::optional<std::string>> changes;
      for (int n = 0; n < 10; ++n) {
        const std::string key = "key " + std::to_string(random() % 40);
        if (random() % 4 == 0) {
          changes[key] = std::nullopt;
          expected.erase(key);
        } else {
          expected[key] = *(changes[key] = "value " + std::to_string(random()));
        }
      }
      epoch += 1 + random() % 2;  // an epoch in which nothing changed is not stored
      parts.commit(epoch, static_cast<std::int64_t>(epoch) * kSecondUs, rows_of(changes));
    }
  }
}

TEST_CASE("an epoch that is not in every recovery partition is taken back") {
  const TempDirectory directory, before;
  RecoveryParts::create(directory.path(), kFiles);
  {
    RecoveryParts parts(directory.path(), 0);
    parts.commit(1, 0, rows_of({{"a", "1"}, {"b", "1"}, {"c", "1"}, {"d", "1"}, {"gone", "1"}}));
  }
  for (int number = 0; number < 3; ++number) copy_part(directory, before, number);
  {
    RecoveryParts parts(directory.path(), 0);
    parts.commit(2, 1, rows_of({{"a", "2"}, {"b", "2"}, {"c", "2"}, {"gone", std::nullopt}}));
  }
  for (int number = 0; number < 3; ++number) {
    CAPTURE(number);
    const TempDirectory torn;
    for (int other = 0; other < 3; ++other)
      copy_part(other == number ? before : directory, torn, other);
    RecoveryParts parts(torn.path(), 0);
    CHECK(parts.epoch() == 1);
    CHECK(states_of(parts) ==
          States{{"a", "1"}, {"b", "1"}, {"c", "1"}, {"d", "1"}, {"gone", "1"}});
  }
}

TEST_CASE("a backup of a recovery partition is accepted as long as the interval says") {
  for (const std::int64_t age_s : {5, 50}) {
    CAPTURE(age_s);
    const TempDirectory directory, backup;
    RecoveryParts::create(directory.path(), kFiles);
    {
      RecoveryParts parts(directory.path(), 10 * kSecondUs);
      parts.commit(1, 0, rows_of({{"a", "1"}, {"b", "1"}, {"c", "1"}}));
    }
    for (int number = 0; number < 3; ++number) copy_part(directory, backup, number);
    {
      RecoveryParts parts(directory.path(), 10 * kSecondUs);
      for (std::int64_t second = 1; second <= age_s; ++second)
        parts.commit(static_cast<std::uint64_t>(second) + 1, second * kSecondUs,
                     rows_of({{"a", std::to_string(second)}, {"c", std::to_string(second)}}));
    }
    copy_part(backup, directory, 1);
    if (age_s > 10) {
      CHECK(refusal_of(directory.path()) == PartsError::Kind::kInconsistent);
    } else {
      RecoveryParts parts(directory.path(), 10 * kSecondUs);
      CHECK(states_of(parts) == States{{"a", "1"}, {"b", "1"}, {"c", "1"}});
    }
  }
}

TEST_CASE("superseded and forgotten snapshots do not pile up in recovery partitions") {
  const TempDirectory directory;
  RecoveryParts::create(directory.path(), kFiles);
  {
    RecoveryParts parts(directory.path(), 0);
    for (std::uint64_t epoch = 1; epoch <= 500; ++epoch) {
      const std::string fresh = "key " + std::to_string(epoch);
      const std::string left = "key " + std::to_string(epoch - 1);
      parts.commit(epoch, static_cast<std::int64_t>(epoch),
                   rows_of({{"always", fresh}, {fresh, "1"}, {left, std::nullopt}}));
    }
  }
  CHECK(rows_in(directory) < 20);
  RecoveryParts parts(directory.path(), 0);
  CHECK(states_of(parts) == States{{"always", "key 500"}, {"key 500", "1"}});
}

TEST_CASE("recovery partitions that are no set are refused") {
  const TempDirectory directory;
  CHECK(refusal_of(directory.path()) == PartsError::Kind::kNone);
  RecoveryParts::create(directory.path(), kFiles);
  CHECK_THROWS_AS(RecoveryParts::create(directory.path(), kFiles), StoreError);
  std::filesystem::remove(directory.file("part-1.sqlite3"));
  CHECK(refusal_of(directory.path()) == PartsError::Kind::kMissing);
  const TempDirectory other;
  RecoveryParts::create(other.path(), kFiles);
  copy_part(other, directory, 1);
  CHECK_THROWS_WITH_AS(RecoveryParts(directory.path(), 0), doctest::Contains("not made together"),
                       StoreError);
}

TEST_CASE("a recovery partition under another's name is refused, not taken for that one") {
  const TempDirectory directory;
  RecoveryParts::create(directory.path(), kFiles);
  const auto copy = [&](const std::string& from, const std::string& to) {
    std::filesystem::copy_file(directory.file(from), directory.file(to),
                               std::filesystem::copy_options::overwrite_existing);
  };
  copy("part-0.sqlite3", "part-1.sqlite3");
  CHECK_THROWS_WITH_AS(RecoveryParts(directory.path(), 0),
                       doctest::Contains("part-1.sqlite3 holds recovery partition 0 of 3"),
                       StoreError);
  const TempDirectory larger;
  RecoveryParts::create(larger.path(), kFiles);
  std::filesystem::copy_file(larger.file("part-2.sqlite3"), larger.file("part-7.sqlite3"));
  CHECK_THROWS_WITH_AS(RecoveryParts(larger.path(), 0),
                       doctest::Contains("part-7.sqlite3 holds recovery partition 2 of 3"),
                       StoreError);
}

namespace {

constexpr std::size_t kPageBytes = 4096;

std::string bytes_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Some superseded snapshots, some forgotten keys, values over many pages.
States fill(const TempDirectory& directory) {
  RecoveryParts::create(directory.path(), kFiles);
  RecoveryParts parts(directory.path(), 3);
  States expected;
  for (std::uint64_t epoch = 1; epoch <= 8; ++epoch) {
    std::map<std::string, std::optional<std::string>> changes;
    for (int key = 0; key < 40; ++key) {
      const std::string name = "key " + std::to_string(key);
      if ((static_cast<std::uint64_t>(key) + epoch) % 5 == 0) {
        changes[name] = std::nullopt;
        expected.erase(name);
      } else {
        expected[name] = *(changes[name] = std::string(700, 'a' + static_cast<char>(epoch)));
      }
    }
    parts.commit(epoch, static_cast<std::int64_t>(epoch), rows_of(changes));
  }
  return expected;
}

// The states, or nothing if the partitions are refused with the file's name.
std::optional<States> states_or_refusal(const TempDirectory& directory, const std::string& path) {
  try {
    RecoveryParts parts(directory.path(), 0);
    return states_of(parts);
  } catch (const StoreError& error) {
    CAPTURE(error.what());
    CHECK(std::string(error.what()).find(path) != std::string::npos);
    return std::nullopt;
  }
}

}  // namespace

TEST_CASE("a recovery partition with a damaged page is refused, or has what it had") {
  const TempDirectory whole;
  const States expected = fill(whole);
  const std::string damaged = whole.file("part-1.sqlite3");
  const std::string bytes = bytes_in(damaged);
  std::mt19937 random(7);
  std::size_t refused = 0, tries = 0;
  for (std::size_t page = 0; page < bytes.size(); page += kPageBytes) {
    for (int flip = 0; flip < 4; ++flip, ++tries) {
      const std::size_t at = page + random() % kPageBytes;
      CAPTURE(at);
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ (1 << random() % 8));
      const TempDirectory directory;
      for (const int number : {0, 2}) copy_part(whole, directory, number);
      write_bytes(directory.file("part-1.sqlite3"), changed);
      const std::optional<States> states =
          states_or_refusal(directory, directory.file("part-1.sqlite3"));
      if (states)
        CHECK(*states == expected);  // room that nothing uses
      else
        ++refused;
    }
  }
  CHECK(refused > tries / 4);
}

TEST_CASE("a recovery partition that was cut off is refused") {
  const TempDirectory whole;
  fill(whole);
  const std::string bytes = bytes_in(whole.file("part-1.sqlite3"));
  for (std::size_t size = 0; size < bytes.size(); size += kPageBytes / 4) {
    CAPTURE(size);
    const TempDirectory directory;
    for (const int number : {0, 2}) copy_part(whole, directory, number);
    write_bytes(directory.file("part-1.sqlite3"), bytes.substr(0, size));
    CHECK_FALSE(states_or_refusal(directory, directory.file("part-1.sqlite3")).has_value());
  }
}

TEST_CASE("a recovery partition in which something was changed is refused") {
  const char* const rows = "are not those that were stored";
  const char* const itself = "what it says of itself has changed";
  const std::pair<std::string, const char*> changes[] = {
      {"UPDATE snaps SET value=x'00' WHERE value IS NOT NULL", rows},
      {"UPDATE snaps SET value=x'00' WHERE value IS NULL", rows},
      {"UPDATE snaps SET key=CAST(key || 'x' AS BLOB)", rows},
      {"UPDATE snaps SET epoch=epoch + 100", rows},
      {"UPDATE snaps SET state='another'", rows},
      {"DELETE FROM snaps WHERE epoch=8", rows},
      {"UPDATE progress SET epoch=7", itself},
      {"UPDATE progress SET horizon=horizon + 1", itself},
      {"UPDATE progress SET seal=''", itself},
      {"UPDATE run SET id='another'", itself},
      {"UPDATE run SET after=after + 1", itself},
      {"DELETE FROM run", itself},
      {"UPDATE part SET set_id='another'", itself},
      {"DROP INDEX gone; CREATE INDEX gone ON snaps (epoch) WHERE epoch < 0; PRAGMA"
       " writable_schema=ON; UPDATE sqlite_schema SET sql='CREATE INDEX gone ON snaps (epoch) WHERE"
       " value IS NULL' WHERE name='gone'",
       "damaged: the index of forgotten keys"},
      {"CREATE TABLE page (of_nobody); PRAGMA writable_schema=ON; DELETE FROM sqlite_schema WHERE"
       " name='page'",
       "never used"},
      {"INSERT INTO part SELECT * FROM part", "it holds more than one partition"},
      {"INSERT INTO progress SELECT * FROM progress", "it holds more than one partition"},
  };
  const TempDirectory whole;
  fill(whole);
  for (const auto& [change, why] : changes) {
    CAPTURE(change);
    TempDirectory changed;
    changed.copy_from(whole.path());
    Database(changed.file("part-1.sqlite3"), Database::Mode::kServe).run(change.c_str());
    CHECK_THROWS_WITH_AS(RecoveryParts(changed.path(), 0), doctest::Contains(why), StoreError);
  }
}

TEST_CASE("recovery partitions of runs that went on differently are no set") {
  const TempDirectory one, other;
  RecoveryParts::create(one.path(), kFiles);
  RecoveryParts(one.path(), 0).commit(1, 0, rows_of({{"a", "1"}, {"b", "1"}, {"c", "1"}}));
  for (int number = 0; number < 3; ++number) copy_part(one, other, number);
  RecoveryParts(one.path(), 0).commit(2, 1, rows_of({{"a", "2"}, {"b", "2"}, {"c", "2"}}));
  RecoveryParts(other.path(), 0).commit(2, 1, rows_of({{"a", "3"}, {"b", "3"}, {"c", "3"}}));
  copy_part(other, one, 1);
  CHECK(refusal_of(one.path()) == PartsError::Kind::kInconsistent);
  CHECK_THROWS_WITH_AS(RecoveryParts(one.path(), 0), doctest::Contains("written by different runs"),
                       StoreError);
}

// Of a run that goes on: the file and its log.
void copy_open_part(const TempDirectory& from, const TempDirectory& to, int number) {
  copy_part(from, to, number);
  const std::string log = "part-" + std::to_string(number) + ".sqlite3-wal";
  std::filesystem::copy_file(from.file(log), to.file(log));
}

TEST_CASE("a backup from before the snapshots that a start has cleared away is too old") {
  const TempDirectory directory, torn, backup;
  RecoveryParts::create(directory.path(), kFiles);
  const auto changes = [](int n) {
    std::map<std::string, std::optional<std::string>> all;
    for (int key = 0; key < 20; ++key) all["key " + std::to_string(key)] = std::to_string(n);
    return rows_of(all);
  };
  {
    RecoveryParts parts(directory.path(), 10);
    for (int epoch = 1; epoch <= 3; ++epoch)
      parts.commit(static_cast<std::uint64_t>(epoch), 0, changes(epoch));
    copy_open_part(directory, backup, 0);
    parts.commit(4, 0, changes(4));
    for (const int number : {1, 2}) copy_open_part(directory, torn, number);
    parts.commit(5, 100, changes(5));  // all before it has got old enough: one file has that
  }
  copy_part(directory, torn, 0);
  CHECK(RecoveryParts(torn.path(), 10).epoch() == 4);
  copy_open_part(backup, torn, 0);
  CHECK(refusal_of(torn.path()) == PartsError::Kind::kInconsistent);
}

TEST_CASE("a set of recovery partitions whose making was interrupted is made or not there at all") {
  const TempDirectory directory;
  std::filesystem::create_directory(directory.file("parts.new"));
  write_bytes(directory.file("parts.new/part-0.sqlite3"), "half of it");
  CHECK(refusal_of(directory.path()) == PartsError::Kind::kNone);
  RecoveryParts::create(directory.path(), kFiles);
  // Of a set that is whole, one file has got to its place.
  std::filesystem::create_directory(directory.file("parts.made"));
  for (const char* name : {"part-0.sqlite3", "part-2.sqlite3"})
    std::filesystem::rename(directory.file(name),
                            directory.file(std::string("parts.made/") + name));
  RecoveryParts parts(directory.path(), 0);
  parts.commit(1, 0, rows_of({{"a", "1"}}));
  CHECK(states_of(parts) == States{{"a", "1"}});
  CHECK_FALSE(std::filesystem::exists(directory.file("parts.made")));
}

TEST_CASE("a recovery partition of another format is refused") {
  const TempDirectory directory;
  RecoveryParts::create(directory.path(), kFiles);
  Database(directory.file("part-2.sqlite3"), Database::Mode::kServe).run("PRAGMA user_version=9");
  CHECK_THROWS_WITH_AS(RecoveryParts(directory.path(), 0),
                       doctest::Contains("part-2.sqlite3: a recovery partition of format 9"),
                       StoreError);
}

TEST_CASE("recovery partitions that a run has open are refused to another") {
  const TempDirectory directory;
  RecoveryParts::create(directory.path(), kFiles);
  const RecoveryParts first(directory.path(), 0);
  CHECK_THROWS_WITH_AS(RecoveryParts(directory.path(), 0), doctest::Contains("in use"), StoreError);
}

}  // namespace machida::store
