#include "server/store/upkeep.h"

#include <algorithm>
#include <utility>

#include "server/base/crash_point.h"
#include "server/base/log.h"
#include "server/store/file.h"
#include "server/store/garbage.h"

namespace machida::store {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPiece{20};
constexpr std::chrono::milliseconds kLatePieceMax{1000};
constexpr std::int64_t kRowsMin = 10'000;
constexpr std::int64_t kRowsPerBaseRow = 2;
constexpr std::int64_t kEpochsMax = 10'000;       // each has positions, read at every start
constexpr std::int64_t kEpochsUntilNextTry = 10;  // when there was no room
constexpr int kWalPagesMin = 1000;                // 4 MB
constexpr std::uint64_t kWalBytesKeptMax = 64 << 20;

}  // namespace

Relaxed::Relaxed(Database& database) : database_(database) {
  database_.run("PRAGMA synchronous=NORMAL");
}

Relaxed::~Relaxed() {
  try {
    database_.run("PRAGMA synchronous=FULL");
  } catch (const std::exception& error) {
    log::error("{}", error.what());
  }
}

Upkeep::Upkeep(Database& database, Contents& contents, std::string directory, const Names& names)
    : database_(database), contents_(contents), directory_(std::move(directory)), names_(names) {
  if (contents.records.empty()) return;
  newest_ = contents.records.back();
  if (contents.meta.base == 0) return;
  base_ = contents.records.front();
  has_garbage_ = true;  // perhaps
}

void Upkeep::on_commit(const EpochRecord& record, steady_clock::duration time) {
  newest_ = record;
  last_commit_ = time;
}

bool Upkeep::step() {
  try {
    if (checkpoint()) return true;
    if (has_garbage_) return collect_garbage();
    return compact();
  } catch (const StoreFull& error) {
    postpone(error);
    return false;
  }
}

void Upkeep::make_room() {
  try {
    if (compaction_) drop_compaction();
    database_.checkpoint(Database::Checkpoint::kTruncate);
  } catch (const StoreFull&) {  // the log's pages had no room in the file either
  }
}

std::int64_t Upkeep::rows_max() const {
  return std::max(kRowsMin, contents_.meta.base_rows * kRowsPerBaseRow);
}

// Without the newest epoch's: it stays out of the base, so that there is one to go back to.
std::int64_t Upkeep::rows_behind_base() const {
  return newest_->first_row - (base_ ? base_->next_row() : 1);
}

bool Upkeep::wants_compaction() const {
  if (!newest_ || newest_->number < next_try_ || newest_->number - 1 <= contents_.meta.base)
    return false;
  return rows_behind_base() > rows_max() || newest_->number - contents_.meta.base > kEpochsMax;
}

// When the work does not keep up with the commits, it gets as much time as they take.
Deadline Upkeep::deadline() const {
  const bool late = newest_ && rows_behind_base() > 2 * rows_max();
  const steady_clock::duration piece =
      late ? std::clamp<steady_clock::duration>(last_commit_, kPiece, kLatePieceMax) : kPiece;
  return steady_clock::now() + piece;
}

bool Upkeep::checkpoint() {
  if (database_.wal_pages() < kWalPagesMin) return false;
  database_.checkpoint(Database::Checkpoint::kPassive);
  if (database_.wal_pages() == 0 &&
      size_of(database_.path() + "-wal").value_or(0) > kWalBytesKeptMax)
    database_.checkpoint(Database::Checkpoint::kTruncate);
  return database_.wal_pages() == 0;  // otherwise somebody reads: next time
}

bool Upkeep::collect_garbage() {
  const Relaxed relaxed(database_);
  Transaction transaction(database_);
  has_garbage_ = delete_garbage(database_, *base_, deadline());
  transaction.commit();
  return has_garbage_ || wants_compaction();
}

bool Upkeep::compact() {
  if (!compaction_) {
    if (!wants_compaction()) return false;
    crash_at(CrashPoint::kCompactionBefore);
    begin_compaction();
  }
  if (compaction_->step(deadline())) return true;
  use_new_base();
  return true;
}

void Upkeep::begin_compaction() {
  Records found = read_records(database_, contents_.meta);
  if (!found.damage.empty()) throw StoreError(found.damage);
  found.records.pop_back();
  const std::int64_t epoch = found.records.back().number;
  log::debug("{}: compacting up to epoch {}", database_.path(), epoch);
  compaction_ = std::make_unique<Compaction>(path_of_base(epoch), database_, contents_.base.get(),
                                             contents_.meta, found.records);
}

void Upkeep::use_new_base() {
  Meta meta = contents_.meta;
  compaction_->describe_in(meta);
  const EpochRecord record = compaction_->last_record();
  auto base = std::make_unique<Database>(path_of_base(meta.base), Database::Mode::kUnchanged);
  sync_directory(directory_);
  crash_at(CrashPoint::kCompactionMiddle);
  {
    Transaction transaction(database_);
    write_meta(database_, meta);
    transaction.commit();
  }
  crash_at(CrashPoint::kCompactionAfter);
  compaction_.reset();
  const std::int64_t old = std::exchange(contents_.meta, meta).base;
  contents_.base = std::move(base);
  contents_.forget_rows();
  base_ = record;
  has_garbage_ = true;
  if (old != 0) remove_file(path_of_base(old));
}

void Upkeep::postpone(const StoreFull& error) {
  const std::int64_t newest = newest_ ? newest_->number : 0;
  if (newest >= next_try_) log::warn("no room to tidy the store: {}", error.what());
  next_try_ = newest + kEpochsUntilNextTry;
  if (compaction_) drop_compaction();
}

void Upkeep::drop_compaction() {
  const std::int64_t epoch = compaction_->epoch();
  compaction_.reset();
  remove_file(path_of_base(epoch));
}

std::string Upkeep::path_of_base(std::int64_t epoch) const {
  return directory_ + "/" + names_.base(epoch);
}

}  // namespace machida::store
