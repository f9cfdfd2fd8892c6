#include "server/store/journal.h"

#include <fmt/core.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "server/base/log.h"
#include "server/store/digest.h"
#include "server/store/journal_files.h"
#include "server/store/segment.h"
#include "server/store/store_error.h"

namespace machida::store {

struct Journal::Parts {
  // Records go to the last of `segments`, whose header is written with its first record: an empty
  // file takes no room, so there can be one when the device is full.
  std::string directory;
  int worker;
  std::uint64_t bytes_max;
  Damage damage;
  std::vector<SegmentFacts> segments;
  std::shared_ptr<File> file;  // of the last one
  std::uint64_t seed = 0;      // of the last one
  bool is_listed = false;      // `file` is among `not_durable`
  bool segment_wanted = false;
  bool was_empty = false;  // there were no files at all
  std::string buffer;

  std::mutex mutex;  // for what sync() needs
  std::vector<std::shared_ptr<File>> not_durable;
  bool has_new_names = false;
  std::int64_t next = 0;  // written on the loop's thread only
  std::int64_t durable = 0;

  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const SegmentFacts& segment : segments) sum += segment.bytes;
    return sum;
  }
  void open_last();
  bool add_segment();
  void recycle();
  void remove_first();
  void restart_at(std::int64_t position);
  void miss(const std::string& what) const;
  bool write_record(std::uint32_t source, std::span<const std::string_view> frames);
};

void Journal::Parts::open_last() {
  file = std::make_shared<File>(segments.back().path, File::Mode::kCreate);
  seed = random_number();
  const std::lock_guard lock(mutex);
  is_listed = false;
}

// False: no room for one more file.
bool Journal::Parts::add_segment() {
  const SegmentFacts fresh{segment_path(directory, worker, next), next, next, 0};
  segments.push_back(fresh);
  try {
    open_last();
  } catch (const StoreFull&) {
    segments.pop_back();
    segment_wanted = true;
    return false;
  }
  segment_wanted = false;
  const std::lock_guard lock(mutex);
  has_new_names = true;
  return true;
}

// Makes the only segment, whose records nobody needs, the new one. The name comes first: it says
// how far the records were counted.
void Journal::Parts::recycle() {
  SegmentFacts& segment = segments.back();
  const std::string path = segment_path(directory, worker, next);
  rename_file(segment.path, path);
  sync_directory(directory);
  segment = {path, next, next, 0};
  open_last();
  file->truncate(0);
  segment_wanted = false;
}

void Journal::Parts::remove_first() {
  const std::string path = segments.front().path;
  remove_file(path);
  segments.erase(segments.begin());
  const std::lock_guard lock(mutex);  // an open file keeps its room
  std::erase_if(not_durable, [&](const auto& listed) { return listed->path() == path; });
}

void Journal::Parts::restart_at(std::int64_t position) {
  while (segments.size() > 1) remove_first();
  next = position;
  recycle();
}

void Journal::Parts::miss(const std::string& what) const {
  if (damage == Damage::kRefuse) throw StoreError(what);
  log::warn("{}: the states lack what those before it held", what);
}

bool Journal::Parts::write_record(std::uint32_t source, std::span<const std::string_view> frames) {
  SegmentFacts& segment = segments.back();
  buffer.clear();
  RecordFacts facts{next, 0, source};
  {
    const std::lock_guard lock(mutex);
    facts.durable = durable;
  }
  if (segment.bytes == 0) buffer = bytes_of(SegmentHeader{segment.first, seed, boot_of_machine()});
  append_record(buffer, seed, facts, frames);
  const std::uint64_t used = bytes();
  if (used > 0 && used + buffer.size() > bytes_max) return false;
  if (!file->write(segment.bytes, buffer)) {
    file->truncate(segment.bytes);
    return false;
  }
  segment.bytes += buffer.size();
  const std::lock_guard lock(mutex);
  if (!std::exchange(is_listed, true)) not_durable.push_back(file);
  segment.next = ++next;
  return true;
}

Journal::Journal(const Directory& directory, int worker, std::uint64_t bytes_max, Damage damage)
    : parts_(std::make_unique<Parts>()) {
  Parts& p = *parts_;
  p.directory = directory.path();
  p.worker = worker;
  p.bytes_max = bytes_max;
  p.damage = damage;
  JournalFacts facts = read_journal(p.directory, worker);
  if (!facts.torn.empty()) log::warn("{}; the journal is cut there", facts.torn);
  for (const std::string& path : facts.superfluous) remove_file(path);
  p.segments = std::move(facts.segments);
  p.was_empty = p.segments.empty();
  for (const SegmentFacts& segment : p.segments) {
    File file(segment.path, File::Mode::kWrite);
    if (file.size() != segment.bytes) file.truncate(segment.bytes);
    file.sync();
  }
  if (!p.segments.empty()) p.next = p.segments.back().next;
  p.durable = p.next;
  // Headers say when the machine had started, so what is written now gets one of its own.
  if (!p.segments.empty() && p.segments.back().bytes == 0)
    p.open_last();
  else if (!p.add_segment() && p.segments.empty())
    throw StoreError(p.directory + ": no room for a journal");
  sync_directory(p.directory);
}

Journal::~Journal() = default;

std::int64_t Journal::position() const noexcept { return parts_->next; }

std::uint64_t Journal::bytes() const noexcept { return parts_->bytes(); }

bool Journal::append(std::uint32_t source, std::span<const std::string_view> frames) {
  if (parts_->segment_wanted && !parts_->add_segment()) return false;
  return parts_->write_record(source, frames);
}

void Journal::sync() {
  Parts& p = *parts_;
  std::vector<std::shared_ptr<File>> files;
  std::int64_t position = 0;
  bool has_new_names = false;
  {
    const std::lock_guard lock(p.mutex);
    files.swap(p.not_durable);
    p.is_listed = false;
    position = p.next;
    has_new_names = std::exchange(p.has_new_names, false);
  }
  for (const auto& file : files) file->sync();
  if (has_new_names) sync_directory(p.directory);
  const std::lock_guard lock(p.mutex);
  p.durable = position;
}

void Journal::begin_segment() {
  Parts& p = *parts_;
  if (!p.segment_wanted && p.segments.back().bytes > 0) p.add_segment();
}

void Journal::trim(std::int64_t position) {
  Parts& p = *parts_;
  while (p.segments.size() > 1 && p.segments.front().next <= position) p.remove_first();
  if (!p.segment_wanted || p.add_segment()) return;
  if (p.segments.size() == 1 && p.segments.back().next <= position) p.recycle();
}

void Journal::replay(std::int64_t position, const OnRecord& on_record) {
  Parts& p = *parts_;
  if (p.was_empty && position > p.next) {
    p.miss(fmt::format("{}: the journal is missing; it held records from {} on", p.directory,
                       position));
    return p.restart_at(position);
  }
  if (position > p.next) {
    log::warn(
        "the journal of {} ends with record {}, the epoch with {}: the machine died before "
        "the journal was durable",
        p.directory, p.next - 1, position - 1);
    return p.restart_at(position);
  }
  if (p.segments.front().first > position)
    p.miss(fmt::format("{}: the journal begins with record {}, records from {} on are needed",
                       p.directory, p.segments.front().first, position));
  for (const SegmentFacts& segment : p.segments) {
    if (segment.next <= position) continue;
    SegmentReader reader(segment.path);
    for (std::int64_t n = segment.first; n < segment.next; ++n) {
      if (!reader.next())
        throw StoreError(fmt::format("{}: record {} can't be read again", segment.path, n));
      if (n >= position) on_record(reader.facts().source, reader.frames());
    }
  }
}

}  // namespace machida::store
