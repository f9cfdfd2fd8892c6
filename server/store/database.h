// The fence around SQLite: a connection, its statements, a transaction. One thread at a time.
// Failures throw StoreFull when the device has no room (then nothing of the transaction is stored),
// and StoreError with file and reason otherwise.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "server/base/handle.h"

struct sqlite3;
struct sqlite3_stmt;

namespace machida::store {

void close_database(sqlite3* database);
void finalize_statement(sqlite3_stmt* statement);

class Statement {
 public:
  enum class Type { kInteger, kText, kBlob, kNull, kOther };

  // Counted from 1. Text and blobs must live until the statement has run.
  Statement& bind(int parameter, std::int64_t value);
  Statement& bind_text(int parameter, std::string_view value);
  Statement& bind_blob(int parameter, std::string_view value);
  Statement& bind_null(int parameter);

  // False: no more rows, and the statement can be bound and run again.
  bool step();
  void run();  // for statements without rows
  void reset();

  // Columns of the present row, counted from 0; bytes are valid until the next step().
  Type type(int column) const;
  std::int64_t integer(int column) const;
  std::string_view bytes(int column) const;  // of text and blobs

 private:
  friend class Database;
  Statement(class Database& database, sqlite3_stmt* statement);

  Database* database_;
  CPtr<sqlite3_stmt, finalize_statement> statement_;
};

class Database {
 public:
  enum class Mode {
    kServe,      // created if it is not there
    kInspect,    // reads beside a running server
    kUnchanged,  // reads a file that nobody writes
  };
  Database(std::string path, Mode mode);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::string& path() const noexcept { return path_; }
  // Statements without rows, or whose rows don't matter.
  void run(const char* sql);
  Statement prepare(std::string_view sql);
  // The only column of the only row; NULL is `otherwise`.
  std::int64_t number(std::string_view sql, std::int64_t otherwise = 0);

  // Pages in the write-ahead log that are not in the database file yet.
  int wal_pages() const noexcept { return wal_pages_ - wal_pages_done_; }
  // As many of them as readers allow. kTruncate also gives the log's space back if nobody reads.
  enum class Checkpoint { kPassive, kTruncate };
  void checkpoint(Checkpoint kind);

  // Otherwise the last connection moves the write-ahead log into the database file and removes it.
  void keep_log_when_closed(bool keep);

  bool in_transaction() const;
  [[noreturn]] void fail(int code) const;

 private:
  struct Hook;
  std::string path_;
  CPtr<sqlite3, close_database> database_;
  int wal_pages_ = 0;
  int wal_pages_done_ = 0;
};

// Rolled back unless committed.
class [[nodiscard]] Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  Database& database_;
};

}  // namespace machida::store
