#include "server/recovery.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <vector>

#include "server/store/journal.h"
#include "server/store/recovery_parts.h"
#include "server/store/store.h"
#include "tests/unit/store/support.h"

namespace machida {

using testing::make_epoch;
using testing::TempDirectory;

namespace {

RecoveryReport report_of(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), {"machida", "recovery"});
  return recovery_report(static_cast<int>(arguments.size()), arguments.data());
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

// Two epochs, the second one not closed, and five journal records. As a server leaves it that is
// killed.
void fill(TempDirectory& files) {
  const TempDirectory temp;
  const store::Directory directory(temp.path(), store::Directory::Access::kServe);
  store::Store store(directory, 0, "Word count");
  store.commit(make_epoch(1, 20, 100));
  store.close(1);
  store.commit(make_epoch(2, 20, 100));
  store::Journal journal(directory, 0, 1 << 20);
  const std::string_view frame = "a frame";
  for (int i = 0; i < 5; ++i) journal.append(0, {&frame, 1});
  files.copy_from(temp.path());
}

// What a dataflow stores: a count of each of some keys, and a position.
void commit_flow(store::RecoveryParts& parts, std::uint64_t epoch, int keys) {
  store::StateRows counts{"count", {}};
  for (int i = 0; i < keys; ++i)
    counts.rows.push_back({testing::text_key("key-" + std::to_string(i)), "12345"});
  parts.commit(epoch, static_cast<std::int64_t>(epoch),
               {counts, {"input", {{testing::text_key("part"), "pos"}}}});
}

void fill_parts(const TempDirectory& files) {
  store::RecoveryParts::create(files.path(), 2);
  store::RecoveryParts parts(files.path(), 1'000'000);
  commit_flow(parts, 1, 20);
  commit_flow(parts, 2, 5);
}

}  // namespace

TEST_CASE("recovery ls lists the epochs") {
  TempDirectory temp;
  fill(temp);
  const RecoveryReport report = report_of({"ls", temp.path().c_str()});
  CHECK(report.status == 0);
  CHECK(report.error == "");
  CHECK_MESSAGE(contains(report.text, "worker 0: application 'Word count'"), report.text);
  CHECK_MESSAGE(contains(report.text, "  1      20"), report.text);
  CHECK_MESSAGE(contains(report.text, "  2      20"), report.text);
  CHECK(contains(report.text, " 25  "));
}

TEST_CASE("recovery show says what the newest epoch holds") {
  TempDirectory temp;
  fill(temp);
  const RecoveryReport report = report_of({"show", temp.path().c_str()});
  CHECK(report.status == 0);
  CHECK(report.error == "");
  for (const char* part : {"epoch 2 of 20", "not closed", "  count    33", "  other     6",
                           "position: kafka:words/1 at 200", "outbox: kafka:counts: 2 chunks",
                           "journal: records 0 up to 5"})
    CHECK_MESSAGE(contains(report.text, part), part, " is missing in\n", report.text);
}

TEST_CASE("recovery show --keys shows keys as text and unpickles none") {
  TempDirectory temp;
  fill(temp);
  const std::string all = report_of({"show", temp.path().c_str(), "--keys"}).text;
  CHECK(contains(all, "count\tkey-19\t"));
  const std::string other = report_of({"show", temp.path().c_str(), "--keys", "other"}).text;
  CHECK(!contains(other, "count"));
  for (const char* part : {"other\t(no key)\t", "other\t-1\t", "other\tbytes 00ff\t",
                           "other\tpickle of 5 bytes 80044b012e\t", "other\ta\\x00b\t0\n"})
    CHECK_MESSAGE(contains(other, part), part, " is missing in\n", other);
}

TEST_CASE("recovery verify ends with 0 for a sound directory and 4 for a damaged one") {
  TempDirectory temp;
  fill(temp);
  RecoveryReport report = report_of({"verify", temp.path().c_str()});
  CHECK(report.status == 0);
  CHECK_MESSAGE(contains(report.text, "all verifies: epoch 2, 39 keys, 5 journal records"),
                report.text);
  SUBCASE("the store") {
    const std::string wal = temp.file("worker-0.sqlite3-wal");
    testing::flip(wal, std::filesystem::file_size(wal) - 100, 1);
    report = report_of({"verify", temp.path().c_str()});
    CHECK_MESSAGE(contains(report.error, "worker-0.head: says that epoch 2 was committed"),
                  report.error);
    CHECK(contains(report.text, "the newest epoch that verifies is 1"));
  }
  SUBCASE("the journal") {
    testing::flip(temp.file("journal-0-0.log"), 70, 1);
    report = report_of({"verify", temp.path().c_str()});
    CHECK_MESSAGE(contains(report.error, "journal-0-0.log: record 0 is damaged"), report.error);
  }
  SUBCASE("everything") {
    std::filesystem::remove(temp.file("worker-0.sqlite3-wal"));
    testing::write_file(temp.file("worker-0.sqlite3"), std::string(5000, 'x'));
    report = report_of({"verify", temp.path().c_str()});
    report = report_of({"verify", temp.path().c_str()});
    CHECK_MESSAGE(contains(report.error, "worker-0.sqlite3: file is not a database"), report.error);
  }
  CHECK(report.status == 4);
}

TEST_CASE("recovery works while a server runs on the directory, and changes nothing") {
  const TempDirectory temp;
  const store::Directory directory(temp.path(), store::Directory::Access::kServe);
  store::Store store(directory, 0, "Word count");
  for (std::int64_t n = 1; n <= 30; ++n) {
    store.commit(make_epoch(n, 600, 900));
    while (store.tidy()) continue;
    const RecoveryReport report = report_of({"verify", temp.path().c_str()});
    CHECK_MESSAGE(report.status == 0, report.error);
    CHECK(contains(report.text, ("epoch " + std::to_string(n) + ",").c_str()));
    store.close(n);
  }
}

TEST_CASE("recovery ls lists the epochs in the partitions of a dataflow") {
  const TempDirectory temp;
  fill_parts(temp);
  const RecoveryReport report = report_of({"ls", temp.path().c_str()});
  CHECK(report.status == 0);
  CHECK(report.error == "");
  for (const char* part : {"partition 0 of 2: up to epoch 2, ", "partition 1 of 2: up to epoch 2, ",
                           "epoch  snapshots", "\n  1   ", "\n  2   "})
    CHECK_MESSAGE(contains(report.text, part), part, " is missing in\n", report.text);
}

TEST_CASE("recovery show says what the next run of a dataflow goes on from") {
  const TempDirectory temp;
  fill_parts(temp);
  RecoveryReport report = report_of({"show", temp.path().c_str()});
  CHECK(report.status == 0);
  for (const char* part : {"epoch 2, in 2 partitions", "  count    20  100 B", "  input     1"})
    CHECK_MESSAGE(contains(report.text, part), part, " is missing in\n", report.text);
  report = report_of({"show", temp.path().c_str(), "--keys", "count"});
  CHECK_MESSAGE(contains(report.text, "count\tkey-19\t5\n"), report.text);
  CHECK(!contains(report.text, "input"));
}

TEST_CASE("recovery verify reads all partitions of a dataflow, and says which is damaged") {
  const TempDirectory temp;
  fill_parts(temp);
  RecoveryReport report = report_of({"verify", temp.path().c_str()});
  CHECK(report.status == 0);
  CHECK_MESSAGE(contains(report.text, "partition 1 of 2: all verifies, up to epoch 2"),
                report.text);
  CHECK(contains(report.text, "the next run goes on from epoch 2"));
  SUBCASE("a snapshot") {
    const std::string path = temp.file("part-1.sqlite3");
    const std::string bytes = testing::read_file(path);
    testing::flip(path, bytes.rfind("12345"), 1);
    report = report_of({"verify", temp.path().c_str()});
    CHECK_MESSAGE(contains(report.error, "part-1.sqlite3: damaged: the snapshots"), report.error);
    CHECK(contains(report.text, "partition 0 of 2: all verifies"));
  }
  SUBCASE("a partition that is gone") {
    std::filesystem::remove(temp.file("part-0.sqlite3"));
    report = report_of({"verify", temp.path().c_str()});
    CHECK_MESSAGE(contains(report.error, "Missing recovery partitions {PartitionIndex(0)}"),
                  report.error);
  }
  CHECK(report.status == 4);
}

TEST_CASE("recovery leaves the partitions of a dataflow as they are, also while it runs") {
  const TempDirectory temp;
  fill_parts(temp);
  const std::string before = testing::read_file(temp.file("part-0.sqlite3"));
  for (const char* command : {"ls", "show", "verify"})
    CHECK(report_of({command, temp.path().c_str()}).status == 0);
  CHECK(testing::read_file(temp.file("part-0.sqlite3")) == before);
  store::RecoveryParts parts(temp.path(), 1'000'000);
  const RecoveryReport report = report_of({"show", temp.path().c_str()});
  CHECK(report.status == 4);
  CHECK_MESSAGE(contains(report.error, "part-0.sqlite3: in use by a run"), report.error);
  commit_flow(parts, 3, 1);
}

TEST_CASE("recovery says what is wrong with its arguments") {
  const TempDirectory temp;
  CHECK(report_of({}).status == 2);
  CHECK(report_of({"ls"}).status == 2);
  CHECK(report_of({"rm", temp.path().c_str()}).status == 2);
  CHECK(contains(report_of({"--help"}).text, "verify"));
  RecoveryReport report = report_of({"ls", temp.path().c_str()});
  CHECK(report.status == 4);
  CHECK_MESSAGE(contains(report.error, "holds no store"), report.error);
  report = report_of({"verify", temp.file("none").c_str()});
  CHECK(report.status == 4);
  CHECK_MESSAGE(contains(report.error, "No such file or directory"), report.error);
}

}  // namespace machida
