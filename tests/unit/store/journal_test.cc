#include "server/store/journal.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include "server/base/log.h"
#include "server/store/journal_files.h"
#include "server/store/segment.h"
#include "server/store/store_error.h"
#include "tests/unit/store/support.h"

namespace machida::store {

using testing::refusal;
using testing::TempDirectory;

namespace {

constexpr std::uint64_t kBytesMax = 1 << 20;

struct Written {
  std::uint32_t source;
  std::vector<std::string> frames;

  friend bool operator==(const Written&, const Written&) = default;
};

Written record_of(std::int64_t number) {
  Written record{static_cast<std::uint32_t>(number % 3), {}};
  for (std::int64_t i = 0; i < number % 4; ++i)
    record.frames.push_back("frame " + std::to_string(number) + "." + std::to_string(i) +
                            std::string(static_cast<std::size_t>(number * 13 % 70), '\0'));
  return record;
}

bool append(Journal& journal, const Written& record) {
  const std::vector<std::string_view> views(record.frames.begin(), record.frames.end());
  return journal.append(record.source, views);
}

void append_up_to(Journal& journal, std::int64_t end) {
  while (journal.position() < end) REQUIRE(append(journal, record_of(journal.position())));
}

// A journal of worker 0 with a segment up to each of `ends`.
void write_segments(const Directory& directory, const std::vector<std::int64_t>& ends) {
  Journal journal(directory, 0, kBytesMax);
  for (const std::int64_t end : ends) {
    append_up_to(journal, end);
    if (end < ends.back()) journal.begin_segment();
  }
}

std::vector<Written> replayed(Journal& journal, std::int64_t position) {
  std::vector<Written> records;
  journal.replay(position, [&](std::uint32_t source, const auto& frames) {
    records.push_back({source, {frames.begin(), frames.end()}});
  });
  return records;
}

std::vector<Written> records_of(std::int64_t begin, std::int64_t end) {
  std::vector<Written> records;
  for (std::int64_t n = begin; n < end; ++n) records.push_back(record_of(n));
  return records;
}

struct Quiet {
  Quiet() { log::set_level(log::Level::kError); }
  ~Quiet() { log::set_level(log::Level::kInfo); }
};

// Where the records of a segment begin, and where the last one ends.
std::vector<std::uint64_t> boundaries_of(const std::string& path) {
  SegmentReader reader(path);
  std::vector<std::uint64_t> boundaries{reader.offset()};
  while (reader.next()) boundaries.push_back(reader.offset());
  return boundaries;
}

// As if the machine had started again since: the headers' boot becomes another one.
void age(const TempDirectory& files) {
  for (const std::string& name : files.names()) {
    if (!name.starts_with("journal-")) continue;
    std::string bytes = testing::read_file(files.file(name));
    if (bytes.empty()) continue;
    SegmentHeader header = *SegmentReader(files.file(name)).header();
    ++header.boot;
    const std::string head = bytes_of(header);
    testing::write_file(files.file(name), bytes.replace(0, head.size(), head));
  }
}

// Names and bytes.
std::string all_of(const TempDirectory& files) {
  std::string all;
  for (const std::string& name : files.names())
    if (name.starts_with("journal-")) all += name + testing::read_file(files.file(name));
  return all;
}

}  // namespace

TEST_CASE("a journal says again what was appended, over restarts and segments") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  for (std::int64_t end = 5; end <= 40; end += 5) {
    Journal journal(directory, 0, kBytesMax);
    CHECK(journal.position() == end - 5);
    CHECK(replayed(journal, 0) == records_of(0, end - 5));
    CHECK(replayed(journal, (end - 5) / 2) == records_of((end - 5) / 2, end - 5));
    append_up_to(journal, end);
    if (end % 10 == 0) journal.begin_segment();
  }
  Journal other(directory, 1, kBytesMax);
  CHECK(other.position() == 0);
}

TEST_CASE("trimming drops whole segments and never the count") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  {
    Journal journal(directory, 0, kBytesMax);
    append_up_to(journal, 10);
    journal.begin_segment();
    journal.begin_segment();  // nothing is in it yet: once is enough
    append_up_to(journal, 20);
    const std::uint64_t bytes = journal.bytes();
    journal.trim(9);
    CHECK(journal.bytes() == bytes);
    journal.trim(10);
    CHECK(journal.bytes() < bytes);
    CHECK(replayed(journal, 10) == records_of(10, 20));
    const std::string why = refusal([&] { replayed(journal, 9); });
    CHECK_MESSAGE(
        why.find("begins with record 10, records from 9 on are needed") != std::string::npos, why);
    journal.begin_segment();
    journal.trim(20);
    CHECK(journal.bytes() == 0);
  }
  Journal journal(directory, 0, kBytesMax);
  CHECK(journal.position() == 20);
  CHECK(replayed(journal, 20).empty());
  append_up_to(journal, 25);
  CHECK(replayed(journal, 20) == records_of(20, 25));
}

TEST_CASE("a full journal takes nothing until it is trimmed, but one record always fits") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  Journal journal(directory, 0, 1000);
  const Written large{0, {std::string(5000, 'x')}};
  CHECK(append(journal, large));
  CHECK(!append(journal, record_of(1)));
  CHECK(journal.position() == 1);
  journal.begin_segment();
  CHECK(!append(journal, record_of(1)));
  journal.trim(1);
  append_up_to(journal, 5);
  CHECK(replayed(journal, 1) == records_of(1, 5));
  CHECK(!append(journal, large));
}

TEST_CASE("a write for which there is no room leaves the journal as it was") {
  const Quiet quiet;
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  Journal journal(directory, 0, kBytesMax);
  append_up_to(journal, 5);
  rlimit before;
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limited = before;
  limited.rlim_cur = 2000;
  REQUIRE(setrlimit(RLIMIT_FSIZE, &limited) == 0);
  const std::string why = refusal([&] { append(journal, {0, {std::string(5000, 'x')}}); });
  REQUIRE(setrlimit(RLIMIT_FSIZE, &before) == 0);
  std::signal(SIGXFSZ, handler);
  CHECK(why != "");  // EFBIG is not ENOSPC: an error of the device
  Journal again(directory, 0, kBytesMax);
  CHECK(replayed(again, 0) == records_of(0, 5));
}

TEST_CASE("an unfinished last record is cut off, wherever it ends") {
  const Quiet quiet;
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  write_segments(directory, {8, 16});
  TempDirectory cut;
  const std::string last = "journal-0-8.log";
  const std::vector<std::uint64_t> boundaries = boundaries_of(temp.file(last));
  REQUIRE(boundaries.size() == 9);
  for (std::uint64_t bytes = 0; bytes < boundaries.back(); ++bytes) {
    cut.copy_from(temp.path());
    testing::truncate_file(cut.file(last), bytes);
    const Directory cut_directory(cut.path(), Directory::Access::kServe);
    std::int64_t whole = 8;
    for (std::size_t i = 1; i < boundaries.size() && boundaries[i] <= bytes; ++i) ++whole;
    {
      Journal journal(cut_directory, 0, kBytesMax);
      REQUIRE(journal.position() == whole);
      REQUIRE(replayed(journal, 0) == records_of(0, whole));
      append_up_to(journal, 20);
    }
    Journal journal(cut_directory, 0, kBytesMax);
    REQUIRE(replayed(journal, 0) == records_of(0, 20));
  }
}

TEST_CASE("damage that no death leaves is refused") {
  const Quiet quiet;
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  write_segments(directory, {6, 12, 18});
  TempDirectory damaged;
  const auto refuses = [&] {
    const Directory copy(damaged.path(), Directory::Access::kServe);
    const std::string before = all_of(damaged);
    const std::string why = refusal([&] { Journal(copy, 0, kBytesMax); });
    REQUIRE(all_of(damaged) == before);  // for whoever mends it
    return why;
  };
  SUBCASE("a segment before the last is cut, anywhere") {
    const std::vector<std::uint64_t> boundaries = boundaries_of(temp.file("journal-0-6.log"));
    for (std::uint64_t bytes = 0; bytes < boundaries.back(); ++bytes) {
      damaged.copy_from(temp.path());
      testing::truncate_file(damaged.file("journal-0-6.log"), bytes);
      REQUIRE(refuses().find("journal-0-") != std::string::npos);
    }
  }
  SUBCASE("a byte of any record but the last is flipped") {
    for (const char* name : {"journal-0-0.log", "journal-0-6.log", "journal-0-12.log"}) {
      const std::vector<std::uint64_t> boundaries = boundaries_of(temp.file(name));
      const bool is_last = std::string(name) == "journal-0-12.log";
      const std::uint64_t end = boundaries[boundaries.size() - (is_last ? 2 : 1)];
      for (std::uint64_t offset = 0; offset < end; ++offset) {
        damaged.copy_from(temp.path());
        testing::flip(damaged.file(name), offset, 0x10);
        CAPTURE(offset);
        REQUIRE(refuses().find(name) != std::string::npos);
      }
    }
  }
  SUBCASE("a segment is missing") {
    damaged.copy_from(temp.path());
    std::filesystem::remove(damaged.file("journal-0-6.log"));
    CHECK(refuses().find("record 6 is damaged or missing") != std::string::npos);
  }
  SUBCASE("the journal is missing") {
    Journal journal(Directory(damaged.path(), Directory::Access::kServe), 0, kBytesMax);
    CHECK(refusal([&] { replayed(journal, 5); }).find("is missing") != std::string::npos);
  }
  SUBCASE("a flipped byte of the last record is the same as an unfinished one") {
    const std::uint64_t last = boundaries_of(temp.file("journal-0-12.log"))[5];
    damaged.copy_from(temp.path());
    testing::flip(damaged.file("journal-0-12.log"), last + 3, 1);
    const Directory copy(damaged.path(), Directory::Access::kServe);
    CHECK(Journal(copy, 0, kBytesMax).position() == 17);
  }
}

TEST_CASE("a machine's death may leave holes in what was not durable, and only there") {
  const Quiet quiet;
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  {
    Journal journal(directory, 0, kBytesMax);
    append_up_to(journal, 6);
    journal.begin_segment();
    append_up_to(journal, 9);
    journal.sync();
    append_up_to(journal, 12);
    journal.begin_segment();
    append_up_to(journal, 18);
  }
  const std::vector<std::uint64_t> boundaries = boundaries_of(temp.file("journal-0-6.log"));
  TempDirectory damaged;
  damaged.copy_from(temp.path());
  age(damaged);
  SUBCASE("a hole behind what was durable: the rest is cut off") {
    testing::flip(damaged.file("journal-0-6.log"), boundaries[4] + 20, 0xff);
    const Directory copy(damaged.path(), Directory::Access::kServe);
    Journal journal(copy, 0, kBytesMax);
    CHECK(journal.position() == 10);
    CHECK(replayed(journal, 0) == records_of(0, 10));
    CHECK(!std::filesystem::exists(damaged.file("journal-0-12.log")));
  }
  SUBCASE("a segment that is empty: the next one goes too") {
    testing::truncate_file(damaged.file("journal-0-6.log"), boundaries[3]);
    const Directory copy(damaged.path(), Directory::Access::kServe);
    Journal journal(copy, 0, kBytesMax);
    CHECK(journal.position() == 9);
  }
  SUBCASE("a hole in what was durable is damage") {
    testing::flip(damaged.file("journal-0-6.log"), boundaries[2] + 20, 0xff);
    const Directory copy(damaged.path(), Directory::Access::kServe);
    CHECK(refusal([&] { Journal(copy, 0, kBytesMax); }).find("record 8") != std::string::npos);
  }
}

TEST_CASE("what a journal lacks is refused, or left out when damage is accepted") {
  const Quiet quiet;
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  write_segments(directory, {10, 20});
  Journal(directory, 0, kBytesMax).trim(10);
  {
    Journal refusing(directory, 0, kBytesMax);
    CHECK(refusal([&] { replayed(refusing, 5); }).find("begins with record 10") !=
          std::string::npos);
  }
  {
    Journal accepting(directory, 0, kBytesMax, Damage::kAcceptOlder);
    CHECK(replayed(accepting, 5) == records_of(10, 20));
  }
  {
    Journal refusing(directory, 1, kBytesMax);
    CHECK(refusal([&] { replayed(refusing, 5); }).find("is missing") != std::string::npos);
  }
  Journal accepting(directory, 2, kBytesMax, Damage::kAcceptOlder);
  CHECK(replayed(accepting, 5).empty());
  CHECK(accepting.position() == 5);
}

TEST_CASE("another thread makes the journal durable while it is written and trimmed") {
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  Journal journal(directory, 0, kBytesMax);
  std::atomic<bool> ended{false};
  std::thread other([&] {
    while (!ended) journal.sync();
  });
  for (std::int64_t end = 20; end <= 400; end += 20) {
    append_up_to(journal, end);
    journal.begin_segment();
    journal.trim(end - 50);
  }
  ended = true;
  other.join();
  CHECK(replayed(journal, 380) == records_of(380, 400));
}

TEST_CASE("a journal that ends before the epoch counts on from there") {
  const Quiet quiet;
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  {
    Journal journal(directory, 0, kBytesMax);
    append_up_to(journal, 6);
    journal.begin_segment();
    append_up_to(journal, 9);
  }
  {
    Journal journal(directory, 0, kBytesMax);
    CHECK(replayed(journal, 20).empty());
    CHECK(journal.position() == 20);
    append_up_to(journal, 25);
  }
  Journal journal(directory, 0, kBytesMax);
  CHECK(replayed(journal, 20) == records_of(20, 25));
}

TEST_CASE("frames that look like records are frames") {
  const Quiet quiet;
  const TempDirectory temp;
  const Directory directory(temp.path(), Directory::Access::kServe);
  {
    Journal journal(directory, 0, kBytesMax);
    append_up_to(journal, 3);
  }
  const std::string lookalike = testing::read_file(temp.file("journal-0-0.log"));
  {
    Journal journal(directory, 0, kBytesMax);
    REQUIRE(append(journal, {7, {lookalike, lookalike}}));
  }
  const std::string last = temp.file("journal-0-3.log");
  testing::truncate_file(last, std::filesystem::file_size(last) - 1);
  Journal journal(directory, 0, kBytesMax);
  CHECK(journal.position() == 3);
}

}  // namespace machida::store
