#include "server/store/base_file.h"

#include "server/store/file.h"

namespace machida::store {
namespace {

const std::string& without_old(const std::string& path) {
  remove_file(path);
  return path;
}

Statement prepared(Database& database, const Meta& meta, std::int64_t epoch) {
  // A file that was not finished is thrown away, so there is nothing to roll back to.
  database.run("PRAGMA journal_mode=OFF");
  database.run("PRAGMA synchronous=FULL");
  database.run("BEGIN");
  create_base(database, meta, epoch);
  return database.prepare(kInsertRow);
}

}  // namespace

BaseWriter::BaseWriter(const std::string& path, const Meta& meta, std::int64_t epoch)
    : epoch_(epoch),
      database_(without_old(path), Database::Mode::kServe),
      insert_(prepared(database_, meta, epoch)) {}

void BaseWriter::add(const Row& row) {
  insert_row(insert_, ++rows_, row.epoch, row.state, row.key, row.value);
  add_row(digest_, row.state, row.key, row.value);
  bytes_ += bytes_of(row.state, row.key, row.value);
}

void BaseWriter::flush() {
  database_.run("COMMIT");
  database_.run("BEGIN");
}

void BaseWriter::describe_in(Meta& meta) {
  meta.base = epoch_;
  meta.base_rows = rows_;
  meta.base_bytes = static_cast<std::int64_t>(bytes_);
  meta.base_digest = digest_.take();
}

}  // namespace machida::store
