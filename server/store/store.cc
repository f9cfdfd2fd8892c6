#include "server/store/store.h"

#include <chrono>
#include <utility>

#include "server/base/check.h"
#include "server/base/crash_point.h"
#include "server/store/file.h"
#include "server/store/opening.h"
#include "server/store/upkeep.h"

namespace machida::store {
namespace {

using std::chrono::steady_clock;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

struct Store::Parts {
  Parts(std::string where, const Names& files, Opened opened)
      : directory(std::move(where)),
        names(files),
        database(std::move(opened.database)),
        head(std::move(opened.head)),
        contents(std::move(opened.contents)),
        warning(std::move(opened.warning)),
        upkeep(*database, contents, directory, names),
        insert(database->prepare(kInsertRow)) {
    if (!contents.records.empty()) newest = contents.records.back();
  }

  std::int64_t newest_number() const { return newest ? newest->number : 0; }
  void write_rows(const Epoch& epoch, EpochRecord& record);
  void write(const Epoch& epoch, EpochRecord& record);

  std::string directory;
  Names names;
  std::unique_ptr<Database> database;
  std::unique_ptr<Head> head;
  Contents contents;
  std::string warning;
  Upkeep upkeep;
  Statement insert;
  std::optional<EpochRecord> newest;
  bool close_waits = false;  // close() found no room
};

void Store::Parts::write_rows(const Epoch& epoch, EpochRecord& record) {
  Digest digest;
  for (const StateRows& state : epoch.states) {
    for (const StateRow& row : state.rows) {
      insert_row(insert, record.next_row(), epoch.number, state.state, row.key, row.value);
      add_row(digest, state.state, row.key, row.value);
      ++record.keys;
      record.bytes += static_cast<std::int64_t>(bytes_of(state.state, row.key, row.value));
    }
  }
  record.digest = digest.take();
}

Store::Store(const Directory& directory, int worker, const std::string& application, Damage damage)
    : parts_(std::make_unique<Parts>(directory.path(), Names(worker),
                                     open_store(directory.path(), worker, application, damage))) {}

Store::~Store() = default;

const std::string& Store::warning() const { return parts_->warning; }

std::optional<Store::Newest> Store::newest() const {
  if (!parts_->newest) return std::nullopt;
  const EpochRecord& record = *parts_->newest;
  Newest newest;
  newest.closed = record.closed;
  newest.epoch.number = record.number;
  newest.epoch.positions = read_positions(*parts_->database, record);
  if (!record.closed) newest.epoch.outboxes = read_outboxes(*parts_->database, record);
  return newest;
}

std::uint64_t Store::keys() const {
  Contents& contents = parts_->contents;
  if (!contents.rows_are_known) {
    Records found = read_records(*parts_->database, contents.meta);
    if (!found.damage.empty()) throw StoreError(found.damage);
    contents.records = std::move(found.records);
    find_newest_rows(*parts_->database, contents);
  }
  return contents.keys;
}

void Store::read_states(const OnState& on_state) const {
  keys();  // finds out which rows are the newest
  const Contents& contents = parts_->contents;
  Scan scan(*parts_->database, contents.base.get(), contents.meta, contents.records);
  std::size_t n = 0;
  scan.finish([&](const Row& row) {
    if (contents.newest_rows[n++]) on_state(row.state, row.key, *row.value);
  });
}

void Store::Parts::write(const Epoch& epoch, EpochRecord& record) {
  Transaction transaction(*database);
  if (close_waits) {
    EpochRecord closing = *newest;
    close_record(*database, contents.meta, closing);
  } else if (newest && !newest->closed) {
    MACHIDA_CHECK(newest->outbox_digest == digest_of(std::vector<Outbox>{}),
                  "an epoch with outputs is closed before the next one commits");
  }
  write_rows(epoch, record);
  insert_positions(*database, epoch);
  insert_outboxes(*database, epoch);
  insert_record(*database, contents.meta, record);
  crash_at(CrashPoint::kStoreCommitBefore);
  transaction.commit();
  crash_at(CrashPoint::kStoreCommitAfter);
}

void Store::commit(const Epoch& epoch) {
  Parts& p = *parts_;
  MACHIDA_CHECK(epoch.number == p.newest_number() + 1, "epochs follow each other");
  const steady_clock::time_point begin = steady_clock::now();
  EpochRecord record;
  record.number = epoch.number;
  record.time_ms = now_ms();
  record.first_row = p.newest ? p.newest->next_row() : 1;
  record.positions_digest = digest_of(epoch.positions);
  record.outbox_digest = digest_of(epoch.outboxes);
  try {
    p.write(epoch, record);
  } catch (const StoreFull&) {
    p.upkeep.make_room();  // for the next try
    throw;
  }
  p.close_waits = false;
  p.newest = record;
  p.contents.forget_rows();
  p.head->write({record.number, record.content_digest(p.contents.meta), p.contents.meta.store});
  p.upkeep.on_commit(record, steady_clock::now() - begin);
}

void Store::close(std::int64_t epoch) {
  Parts& p = *parts_;
  MACHIDA_CHECK(epoch == p.newest_number(), "the newest epoch is closed");
  if (p.newest->closed) return;
  try {
    const Relaxed relaxed(*p.database);
    Transaction transaction(*p.database);
    EpochRecord record = *p.newest;
    close_record(*p.database, p.contents.meta, record);
    transaction.commit();
    p.newest = record;
  } catch (const StoreFull&) {
    p.close_waits = true;
  }
}

bool Store::tidy() { return parts_->upkeep.step(); }

std::uint64_t Store::bytes() const {
  std::uint64_t bytes = 0;
  const Parts& p = *parts_;
  const std::string store = p.directory + "/" + p.names.store;
  for (const std::string& path : {store, store + "-wal", p.directory + "/" + p.names.head,
                                  p.directory + "/" + p.names.base(p.contents.meta.base)})
    bytes += size_of(path).value_or(0);
  return bytes;
}

}  // namespace machida::store
