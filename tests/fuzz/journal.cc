// A journal with any damage is refused, or says again what was appended, up to where it was cut.
// Records that were made up, with checksums that are right, are never a crash.
#include "server/store/journal.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "server/base/log.h"
#include "server/store/digest.h"
#include "server/store/journal_files.h"
#include "server/store/segment.h"
#include "server/store/store_error.h"
#include "tests/fuzz/damage.h"

namespace {

using namespace machida;
using fuzz::Files;
using testing::TempDirectory;

constexpr std::uint64_t kBytesMax = 1 << 20;
constexpr std::int64_t kRecords = 40, kTrimmed = 9;

struct Written {
  std::uint32_t source = 0;
  std::vector<std::string> frames;

  friend bool operator==(const Written&, const Written&) = default;
};

Written record_of(std::int64_t number) {
  Written record{static_cast<std::uint32_t>(number % 3), {}};
  for (std::int64_t i = 0; i < number % 4; ++i)
    record.frames.push_back(std::string(static_cast<std::size_t>(number * 13 % 70), '\0') +
                            "frame " + std::to_string(number));
  return record;
}

bool append(store::Journal& journal) {
  const Written record = record_of(journal.position());
  const std::vector<std::string_view> views(record.frames.begin(), record.frames.end());
  return journal.append(record.source, views);
}

// Segments, some made durable, the first ones trimmed away.
Files whole_files() {
  const TempDirectory temp;
  const store::Directory directory(temp.path(), store::Directory::Access::kServe);
  store::Journal journal(directory, 0, kBytesMax);
  while (journal.position() < kRecords) {
    if (!append(journal)) std::abort();
    if (journal.position() % 7 == 0) journal.begin_segment();
    if (journal.position() == kTrimmed) journal.trim(kTrimmed);
    if (journal.position() % 10 == 0) journal.sync();
  }
  Files files = fuzz::files_of(temp);
  std::erase_if(files, [](const auto& file) { return !file.first.starts_with("journal-0-"); });
  if (files.size() < 3) std::abort();
  return files;
}

// As if the machine had started again since.
void age(Files& files) {
  for (auto& [name, content] : files) {
    const TempDirectory temp;
    testing::write_file(temp.file(name), content);
    auto header = store::SegmentReader(temp.file(name)).header();
    if (!header) continue;
    ++header->boot;
    const std::string bytes = store::bytes_of(*header);
    content.replace(0, bytes.size(), bytes);
  }
}

// A segment of any records, whose checksums are right whatever their heads say.
std::string made_up(fuzz::Script& script, std::int64_t first) {
  constexpr std::size_t kChecksumBytes = sizeof(std::uint64_t);
  const std::uint64_t seed = script.word();
  const std::uint64_t boot = store::boot_of_machine() + script.byte() % 2;
  std::string segment = store::bytes_of({first, seed, boot});
  std::int64_t number = first;
  for (int records = 0; records < 8 && !script.done(); ++records) {
    std::vector<std::string> frames;
    for (int n = script.byte() % 4; n > 0; --n) frames.push_back(script.text(script.byte() % 40));
    const std::vector<std::string_view> views(frames.begin(), frames.end());
    std::string record;
    store::append_record(record, seed, {number++, script.byte(), script.byte()}, views);
    for (int patches = script.byte() % 3; patches > 0; --patches)
      record[kChecksumBytes + script.below(record.size() - kChecksumBytes)] =
          static_cast<char>(script.byte());
    const std::uint64_t sum =
        store::checksum(std::string_view(record).substr(kChecksumBytes), seed);
    std::memcpy(record.data(), &sum, sizeof sum);
    segment += record;
  }
  return segment;
}

std::vector<Written> replayed(store::Journal& journal, std::int64_t position) {
  std::vector<Written> records;
  journal.replay(position, [&](std::uint32_t source, const auto& frames) {
    records.push_back({source, {frames.begin(), frames.end()}});
  });
  return records;
}

// What the journal says from there on; nothing: it is refused.
std::optional<std::vector<Written>> read(const TempDirectory& temp, std::int64_t position) {
  const store::Directory directory(temp.path(), store::Directory::Access::kServe);
  std::vector<Written> records;
  try {
    store::Journal journal(directory, 0, kBytesMax);
    records = replayed(journal, position);
    if (journal.position() < position) std::abort();
    if (!append(journal)) std::abort();
  } catch (const store::StoreError&) {
    return std::nullopt;
  }
  // What was appended comes behind it.
  store::Journal again(directory, 0, kBytesMax);
  std::vector<Written> expected = records;
  expected.push_back(record_of(again.position() - 1));
  if (replayed(again, position) != expected) std::abort();
  return records;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  log::set_level(log::Level::kError);
  static const Files whole = whole_files();
  static const TempDirectory temp;
  fuzz::Script script(data, size);
  const std::uint8_t kind = script.byte() % 3;
  const std::int64_t position = kTrimmed + script.byte() % (kRecords - kTrimmed + 1);
  Files files = whole;
  if (kind == 1) age(files);
  if (kind == 2) {
    std::int64_t first = position;
    files.clear();
    for (int segments = 0; segments < 3 && !script.done(); ++segments) {
      files["journal-0-" + std::to_string(first) + ".log"] = made_up(script, first);
      first += script.byte() % 8;
    }
  } else {
    fuzz::damage_bytes(script, files);
  }
  fuzz::write_files(temp, files);
  const std::optional<std::vector<Written>> records = read(temp, position);
  if (!records || kind == 2) return 0;
  if (records->size() > static_cast<std::size_t>(kRecords - position)) std::abort();
  for (std::size_t i = 0; i < records->size(); ++i)
    if (!((*records)[i] == record_of(position + static_cast<std::int64_t>(i)))) std::abort();
  return 0;
}
