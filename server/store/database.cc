#include "server/store/database.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "server/base/log.h"
#include "server/store/store_error.h"

namespace machida::store {
namespace {

constexpr int kBusyTimeoutMs = 10'000;  // somebody's shell with a transaction open

bool is_no_room(sqlite3* database, int code) {
  if ((code & 0xff) == SQLITE_FULL) return true;
  const int error = sqlite3_system_errno(database);
  return ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN) &&
         (error == ENOSPC || error == EDQUOT);
}

// Of a path in a URI, what would end it or be taken for an escape.
std::string uri_of(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%')
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    else
      uri += c;
  }
  return uri + "?immutable=1";
}

}  // namespace

void close_database(sqlite3* database) { sqlite3_close_v2(database); }
void finalize_statement(sqlite3_stmt* statement) { sqlite3_finalize(statement); }

Statement::Statement(Database& database, sqlite3_stmt* statement)
    : database_(&database), statement_(statement) {}

Statement& Statement::bind(int parameter, std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), parameter, value);
  if (code != SQLITE_OK) database_->fail(code);
  return *this;
}

Statement& Statement::bind_text(int parameter, std::string_view value) {
  const int code =
      sqlite3_bind_text64(statement_.get(), parameter, value.data() ? value.data() : "",
                          value.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) database_->fail(code);
  return *this;
}

Statement& Statement::bind_blob(int parameter, std::string_view value) {
  const int code = sqlite3_bind_blob64(
      statement_.get(), parameter, value.data() ? value.data() : "", value.size(), SQLITE_STATIC);
  if (code != SQLITE_OK) database_->fail(code);
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  const int code = sqlite3_bind_null(statement_.get(), parameter);
  if (code != SQLITE_OK) database_->fail(code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  sqlite3_reset(statement_.get());
  if (code != SQLITE_DONE) database_->fail(code);
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

Statement::Type Statement::type(int column) const {
  switch (sqlite3_column_type(statement_.get(), column)) {
    case SQLITE_INTEGER:
      return Type::kInteger;
    case SQLITE_TEXT:
      return Type::kText;
    case SQLITE_BLOB:
      return Type::kBlob;
    case SQLITE_NULL:
      return Type::kNull;
    default:
      return Type::kOther;
  }
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::bytes(int column) const {
  // Not column_text, which copies to put a zero behind it.
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data ? std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size))
              : std::string_view();
}

struct Database::Hook {
  static int on_commit(void* database, sqlite3*, const char*, int pages) {
    auto* self = static_cast<Database*>(database);
    if (pages < self->wal_pages_) self->wal_pages_done_ = 0;  // it began again at its start
    self->wal_pages_ = pages;
    return SQLITE_OK;
  }
};

Database::Database(std::string path, Mode mode) : path_(std::move(path)) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  if (mode == Mode::kServe) flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (mode != Mode::kServe) flags |= SQLITE_OPEN_READONLY;
  if (mode == Mode::kUnchanged) flags |= SQLITE_OPEN_URI;
  sqlite3* raw = nullptr;
  const std::string name = mode == Mode::kUnchanged ? uri_of(path_) : path_;
  const int code = sqlite3_open_v2(name.c_str(), &raw, flags, nullptr);
  database_.reset(raw);  // a failed open returns a handle too
  if (code != SQLITE_OK) fail(code);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  sqlite3_wal_hook(raw, Hook::on_commit, this);  // which also ends checkpoints by themselves
  run("PRAGMA cell_size_check=ON");
  run("PRAGMA trusted_schema=OFF");
  run("PRAGMA mmap_size=0");  // a failing device is an error, not a signal
}

void Database::run(const char* sql) {
  const int code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

Statement Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) fail(code);
  return Statement(*this, raw);
}

std::int64_t Database::number(std::string_view sql, std::int64_t otherwise) {
  Statement statement = prepare(sql);
  if (!statement.step()) return otherwise;
  const bool null = statement.type(0) == Statement::Type::kNull;
  const std::int64_t value = statement.integer(0);
  statement.reset();
  return null ? otherwise : value;
}

void Database::checkpoint(Checkpoint kind) {
  int pages = 0, done = 0;
  sqlite3_busy_timeout(database_.get(), 0);  // a reader is not waited for
  const int code = sqlite3_wal_checkpoint_v2(
      database_.get(), nullptr,
      kind == Checkpoint::kPassive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE, &pages,
      &done);
  sqlite3_busy_timeout(database_.get(), kBusyTimeoutMs);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) fail(code);
  const bool all = done >= pages;  // the log begins again with the next commit
  wal_pages_ = all ? 0 : pages;
  wal_pages_done_ = all ? 0 : done;
}

void Database::keep_log_when_closed(bool keep) {
  sqlite3_db_config(database_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, nullptr);
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(database_.get()) == 0; }

void Database::fail(int code) const {
  const std::string text = fmt::format("{}: {}", path_, sqlite3_errmsg(database_.get()));
  if (is_no_room(database_.get(), code)) throw StoreFull(text);
  if ((code & 0xff) != SQLITE_IOERR) throw StoreError(text);
  const int error = sqlite3_system_errno(database_.get());  // 0 when another call came between
  throw StoreError(error == 0 ? fmt::format("{} (SQLite error {})", text, code)
                              : fmt::format("{} (SQLite error {}, system error {}: {})", text, code,
                                            error, std::strerror(error)));
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.run("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!database_.in_transaction()) return;  // committed, or rolled back by SQLite itself
  try {
    database_.run("ROLLBACK");
  } catch (const std::exception& error) {
    log::error("{}", error.what());
  }
}

void Transaction::commit() { database_.run("COMMIT"); }

}  // namespace machida::store
