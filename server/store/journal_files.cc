#include "server/store/journal_files.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "server/store/digest.h"
#include "server/store/file.h"
#include "server/store/names.h"
#include "server/store/segment.h"
#include "server/store/store_error.h"

namespace machida::store {
namespace {

std::vector<SegmentFacts> list(const std::string& directory, int worker) {
  std::vector<SegmentFacts> segments;
  const std::string prefix = fmt::format("journal-{}-", worker);
  for (const std::string& name : names_in(directory))
    if (const auto first = number_between(name, prefix, ".log"))
      segments.push_back({directory + "/" + name, *first, *first, 0});
  std::sort(segments.begin(), segments.end(),
            [](const SegmentFacts& a, const SegmentFacts& b) { return a.first < b.first; });
  return segments;
}

// A place where the records end although bytes follow, or files, and what speaks for what.
struct Break {
  std::int64_t number;       // of the record that should be there
  bool is_followed = false;  // by good records, or by a segment
  bool is_garbled = false;   // in a way that no death leaves
  std::int64_t durable = 0;  // how far the journal was durable, say good records behind it
};

void look_behind(SegmentReader& reader, Break& at) {
  while (reader.skip_to_record()) {
    while (reader.next()) {
      at.is_followed = true;
      at.durable = std::max(at.durable, reader.facts().durable);
    }
  }
}

// What a segment behind a break says about it.
void look_at(const SegmentFacts& segment, Break& at) {
  SegmentReader reader(segment.path);
  at.is_followed = true;
  while (reader.next()) at.durable = std::max(at.durable, reader.facts().durable);
  look_behind(reader, at);
}

// Whether some of it was written since the machine started: then only the process can have died.
bool is_of_this_boot(const std::vector<SegmentFacts>& segments) {
  const std::uint64_t boot = boot_of_machine();
  for (const SegmentFacts& segment : segments) {
    const SegmentReader reader(segment.path);
    if (boot != 0 && reader.header() && reader.header()->boot == boot) return true;
  }
  return false;
}

bool is_damage(const Break& at, const std::vector<SegmentFacts>& segments) {
  return at.is_garbled || at.durable > at.number || (at.is_followed && is_of_this_boot(segments));
}

// Whether recycling the segment was interrupted: it has its new name and its old content.
bool is_recycled(const SegmentFacts& segment, const SegmentReader& reader, bool is_last) {
  return is_last && reader.header() && reader.header()->first < segment.first;
}

// Reads as far as records follow each other; a Break if that is not to the end.
std::optional<Break> read_segment(SegmentFacts& segment, bool is_last) {
  SegmentReader reader(segment.path);
  if (reader.size() == 0 || is_recycled(segment, reader, is_last)) return std::nullopt;
  Break at{segment.first};
  if (!reader.header() || reader.header()->first != segment.first) {
    at.is_garbled = reader.size() >= bytes_of(SegmentHeader{}).size();
    return at;
  }
  segment.bytes = reader.offset();
  while (reader.next()) {
    if (reader.facts().number != segment.next) {
      at.is_garbled = true;
      break;
    }
    segment.bytes = reader.offset();
    ++segment.next;
  }
  if (reader.at_end() && !at.is_garbled) return std::nullopt;
  at.number = segment.next;
  look_behind(reader, at);
  return at;
}

}  // namespace

JournalFacts read_journal(const std::string& directory, int worker) {
  JournalFacts facts;
  std::vector<SegmentFacts> found = list(directory, worker);
  for (std::size_t i = 0; i < found.size(); ++i) {
    SegmentFacts& segment = found[i];
    std::optional<Break> at;
    if (i > 0 && segment.first != found[i - 1].next) {
      at = Break{found[i - 1].next};  // the end of the one before was lost
      look_at(segment, *at);
    } else {
      at = read_segment(segment, i + 1 == found.size());
      facts.segments.push_back(segment);
    }
    if (!at) continue;
    for (std::size_t j = i + 1; j < found.size(); ++j) look_at(found[j], *at);
    const std::string where = fmt::format("{}: record {}", segment.path, at->number);
    if (is_damage(*at, found)) throw StoreError(where + " is damaged or missing");
    facts.torn = where + " was not finished";
    for (std::size_t j = facts.segments.size(); j < found.size(); ++j)
      facts.superfluous.push_back(found[j].path);
    break;
  }
  return facts;
}

std::string segment_path(const std::string& directory, int worker, std::int64_t first) {
  return fmt::format("{}/journal-{}-{}.log", directory, worker, first);
}

std::uint64_t boot_of_machine() {
  static const std::uint64_t boot = [] {
    std::uint64_t number = 0;
    try {
      const File file("/proc/sys/kernel/random/boot_id", File::Mode::kRead);
      char id[64];
      const std::size_t bytes = file.read(0, id, sizeof id);
      if (bytes > 0) number = checksum({id, bytes}, 1);
    } catch (const StoreError&) {
    }
    return number;
  }();
  return boot;
}

}  // namespace machida::store
