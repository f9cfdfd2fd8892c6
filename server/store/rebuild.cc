#include "server/store/rebuild.h"

#include "server/store/base_file.h"
#include "server/store/file.h"

namespace machida::store {
namespace {

// The content of the newest record as a base, unless it is one already.
void make_base(Database& damaged, const Contents& contents, const std::string& directory,
               const Names& names, Meta& meta) {
  const std::int64_t epoch = contents.records.back().number;
  if (epoch == meta.base) return;
  BaseWriter writer(directory + "/" + names.base(epoch), meta, epoch);
  Scan scan(damaged, contents.base.get(), contents.meta, contents.records);
  std::size_t n = 0;
  scan.finish([&](const Row& row) {
    if (contents.newest_rows[n++]) writer.add(row);
  });
  writer.flush();
  writer.describe_in(meta);
}

void make_store(const std::string& path, const Contents& contents, const Meta& meta) {
  remove_file(path);
  Database database(path, Database::Mode::kServe);
  database.run("PRAGMA synchronous=FULL");
  Transaction transaction(database);
  create_store(database, meta);
  Epoch epoch;
  epoch.positions = contents.positions;
  epoch.outboxes = contents.outboxes;
  EpochRecord record = contents.records.back();
  epoch.number = record.number;
  record.first_row = 1;  // its rows are in the base
  record.keys = 0;
  insert_record(database, meta, record);
  insert_positions(database, epoch);
  insert_outboxes(database, epoch);
  transaction.commit();
}

void put_aside(const std::string& from, const std::string& to) {
  if (size_of(from)) rename_file(from, to);
}

}  // namespace

void rebuild(std::unique_ptr<Database> damaged, Contents contents, const std::string& directory,
             const Names& names) {
  Meta meta = contents.meta;
  meta.store = {random_number(), random_number()};
  make_base(*damaged, contents, directory, names, meta);
  const std::string unfinished = directory + "/" + names.rebuilt + ".new";
  make_store(unfinished, contents, meta);
  contents.base.reset();
  damaged.reset();
  rename_file(unfinished, directory + "/" + names.rebuilt);
  sync_directory(directory);
}

void finish_rebuild(const std::string& directory, const Names& names) {
  const std::string rebuilt = directory + "/" + names.rebuilt;
  if (!size_of(rebuilt)) return;
  const std::string store = directory + "/" + names.store;
  const std::string damaged = directory + "/" + names.damaged;
  // The log first: SQLite would take it for the new file's.
  put_aside(store + "-wal", damaged + "-wal");
  remove_file(store + "-shm");
  put_aside(store, damaged);
  HeadMark mark;
  {
    Database database(rebuilt, Database::Mode::kUnchanged);
    const Meta meta = read_meta(database);
    const Records records = read_records(database, meta);
    if (records.records.empty()) throw StoreError(rebuilt + ": " + records.damage);
    mark = {meta.base, records.records.back().content_digest(meta), meta.store};
  }
  const Head head(directory + "/" + names.head, mark);
  sync_directory(directory);
  rename_file(rebuilt, store);
  sync_directory(directory);
}

}  // namespace machida::store
