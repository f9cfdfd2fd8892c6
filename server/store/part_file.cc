#include "server/store/part_file.h"

#include <fmt/core.h>

#include <algorithm>

#include "server/store/store_error.h"

namespace machida::store {
namespace {

constexpr std::int64_t kFormat = 1;     // of recovery partitions, as the file's user_version
constexpr int kTakeMs = 500;            // how long another run may need to let go of it
constexpr int kLogPagesMax = 1000;      // 4 MiB, then the log goes into the file
constexpr int kGoneAtOnceMax = 10'000;  // forgotten keys that a commit clears away

constexpr const char* kTables =
    "CREATE TABLE part (number INTEGER NOT NULL, count INTEGER NOT NULL, set_id TEXT NOT NULL)"
    " STRICT;"
    "CREATE TABLE progress (epoch INTEGER NOT NULL, horizon INTEGER NOT NULL,"
    " rows_high INTEGER NOT NULL, rows_low INTEGER NOT NULL, seal TEXT NOT NULL) STRICT;"
    "CREATE TABLE run (after INTEGER PRIMARY KEY, id TEXT NOT NULL) STRICT;"
    "CREATE TABLE snaps (state TEXT NOT NULL, kind INTEGER NOT NULL, key BLOB NOT NULL,"
    " epoch INTEGER NOT NULL, value BLOB, PRIMARY KEY (state, kind, key, epoch))"
    " STRICT, WITHOUT ROWID;"
    "CREATE INDEX gone ON snaps (epoch) WHERE value IS NULL;"
    "INSERT INTO progress VALUES (0, 0, 0, 0, '');";

// Sums don't depend on an order, and a row that goes can be taken back from them.
Hash operator+(const Hash& a, const Hash& b) { return {a.high + b.high, a.low + b.low}; }
Hash operator-(const Hash& a, const Hash& b) { return {a.high - b.high, a.low - b.low}; }

std::int64_t as_signed(std::uint64_t number) { return static_cast<std::int64_t>(number); }
std::uint64_t as_unsigned(std::int64_t number) { return static_cast<std::uint64_t>(number); }

void bind_key(Statement& statement, std::string_view state, KeyKind kind, std::string_view key) {
  statement.bind_text(1, state).bind(2, static_cast<std::int64_t>(kind)).bind_blob(3, key);
}

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw StoreError(path + ": " + why);
}

}  // namespace

void PartFile::create(const std::string& path, const Place& place) {
  Database database(path, Database::Mode::kServe);
  database.run("PRAGMA journal_mode=WAL");
  Transaction transaction(database);
  database.run(kTables);
  database.run(fmt::format("PRAGMA user_version={}", kFormat).c_str());
  database.prepare("INSERT INTO part VALUES (?, ?, ?)")
      .bind(1, place.number)
      .bind(2, place.count)
      .bind_text(3, place.set)
      .run();
  transaction.commit();
}

PartFile::PartFile(const std::string& path, Access access)
    : database_(path, access == Access::kRun ? Database::Mode::kServe : Database::Mode::kInspect) {
  set_access(access);
  check_format();
  load();
  if (access == Access::kRun) verify();
}

void PartFile::set_access(Access access) {
  database_.run(fmt::format("PRAGMA busy_timeout={}", kTakeMs).c_str());
  try {
    if (access == Access::kRun) take();
    database_.number("PRAGMA user_version");
  } catch (const StoreError& error) {
    if (std::string_view(error.what()).ends_with("database is locked"))
      refuse(path(), access == Access::kRun ? "in use by another run" : "in use by a run");
    throw;
  }
}

// Nobody else can read or write it from then on.
void PartFile::take() {
  database_.run("PRAGMA locking_mode=EXCLUSIVE");
  database_.run("PRAGMA journal_mode=WAL");
  database_.run("PRAGMA synchronous=FULL");
}

void PartFile::check_format() {
  const std::int64_t format = database_.number("PRAGMA user_version");
  if (format != kFormat)
    refuse(path(), fmt::format("a recovery partition of format {}; this version reads format {}",
                               format, kFormat));
}

void PartFile::load() {
  Statement part = database_.prepare("SELECT number, count, set_id FROM part");
  if (!part.step()) refuse(path(), "damaged: it says not which partition it is");
  place_ = {part.integer(0), part.integer(1), std::string(part.bytes(2))};
  part.reset();
  Statement progress =
      database_.prepare("SELECT epoch, horizon, rows_high, rows_low FROM progress");
  if (!progress.step()) refuse(path(), "damaged: it says not what it holds");
  progress_ = {as_unsigned(progress.integer(0)),
               as_unsigned(progress.integer(1)),
               {as_unsigned(progress.integer(2)), as_unsigned(progress.integer(3))}};
  progress.reset();
  Statement run = database_.prepare("SELECT after, id FROM run ORDER BY after");
  while (run.step()) runs_.push_back({as_unsigned(run.integer(0)), std::string(run.bytes(1))});
}

// SQLite looks at its own structures, the digests at what is in them.
void PartFile::verify() {
  Statement check = database_.prepare("PRAGMA quick_check(1)");
  if (!check.step() || check.bytes(0) != "ok")
    refuse(path(), "damaged: " + std::string(check.bytes(0)));
  check.reset();
  const std::int64_t epochs = database_.number("SELECT count(*) FROM progress");
  if (epochs != 1 || database_.number("SELECT count(*) FROM part") != 1)
    refuse(path(), "damaged: it holds more than one partition");
  Statement sealed = database_.prepare("SELECT seal FROM progress");
  const std::string seal_there(sealed.step() ? sealed.bytes(0) : std::string_view());
  sealed.reset();
  const bool is_new = progress_.epoch == 0 && runs_.empty() && seal_there.empty();
  if (!is_new && seal_there != seal())
    refuse(path(), "damaged: what it says of itself has changed");
  if (!(sum_of("SELECT state, kind, key, epoch, value FROM snaps") == progress_.rows))
    refuse(path(), fmt::format("damaged: the snapshots up to epoch {} are not those that were "
                               "stored",
                               progress_.epoch));
  // The plus keeps SQLite from the index; it takes it in spite of NOT INDEXED.
  if (!(sum_of("SELECT state, kind, key, epoch, value FROM snaps INDEXED BY gone WHERE value IS "
               "NULL") ==
        sum_of("SELECT state, kind, key, epoch, value FROM snaps WHERE +value IS NULL")))
    refuse(path(), "damaged: the index of forgotten keys");
}

Hash PartFile::row_hash(std::string_view state, std::int64_t kind, std::string_view key,
                        std::int64_t epoch, const std::string_view* value) {
  digest_.add_bytes(state);
  digest_.add_number(kind);
  digest_.add_bytes(key);
  digest_.add_number(epoch);
  digest_.add_number(value ? 1 : 0);
  if (value) digest_.add_bytes(*value);
  return digest_.take();
}

// Of the present row of a statement that gives state, kind, key, epoch and value.
Hash PartFile::row_hash(const Statement& row) {
  const std::string_view value = row.bytes(4);
  return row_hash(row.bytes(0), row.integer(1), row.bytes(2), row.integer(3),
                  row.type(4) == Statement::Type::kNull ? nullptr : &value);
}

// Of rows that are selected whole.
Hash PartFile::sum_of(const char* select) {
  Statement rows = database_.prepare(select);
  Hash sum;
  while (rows.step()) sum = sum + row_hash(rows);
  return sum;
}

std::vector<PartFile::Run> PartFile::runs_before(std::uint64_t epoch) const {
  std::vector<Run> runs;
  for (const Run& run : runs_)
    if (run.after < epoch) runs.push_back(run);
  return runs;
}

void PartFile::go_back_to(std::uint64_t epoch, std::uint64_t horizon) {
  Transaction transaction(database_);
  Statement newer = database_.prepare(
      "DELETE FROM snaps WHERE epoch > ? RETURNING state, kind, key, epoch, value");
  remove(newer.bind(1, as_signed(epoch)));
  Statement superseded = database_.prepare(
      "DELETE FROM snaps AS old WHERE EXISTS (SELECT 1 FROM snaps AS new WHERE new.state ="
      " old.state AND new.kind = old.kind AND new.key = old.key AND new.epoch > old.epoch AND"
      " new.epoch <= ?) RETURNING state, kind, key, epoch, value");
  remove(superseded.bind(1, as_signed(horizon)));
  Statement gone = database_.prepare(
      "DELETE FROM snaps WHERE value IS NULL AND epoch <= ? RETURNING state, kind, key, epoch, "
      "value");
  remove(gone.bind(1, as_signed(horizon)));
  database_.prepare("DELETE FROM run WHERE after >= ?").bind(1, as_signed(epoch)).run();
  runs_ = runs_before(epoch);
  progress_.epoch = epoch;
  progress_.horizon = std::max(progress_.horizon, horizon);
  write_progress();
  transaction.commit();
  database_.checkpoint(Database::Checkpoint::kPassive);
}

std::vector<PartFile::EpochFacts> PartFile::epochs() {
  Statement select = database_.prepare(
      "SELECT epoch, count(*), sum(length(key) + ifnull(length(value), 0)) FROM snaps"
      " GROUP BY epoch ORDER BY epoch");
  std::vector<EpochFacts> epochs;
  while (select.step())
    epochs.push_back({as_unsigned(select.integer(0)), select.integer(1), select.integer(2)});
  return epochs;
}

void PartFile::read(std::uint64_t epoch, const OnState& on_state) {
  Statement select = database_.prepare(
      "SELECT state, kind, key, value, max(epoch) FROM snaps WHERE epoch <= ? GROUP BY state, kind,"
      " key");
  select.bind(1, as_signed(epoch));
  while (select.step()) {
    if (select.type(3) == Statement::Type::kNull) continue;
    on_state(std::string(select.bytes(0)),
             key_of(static_cast<KeyKind>(select.integer(1)), select.bytes(2)), select.bytes(3));
  }
}

void PartFile::commit(std::uint64_t epoch, std::uint64_t horizon, const Run& run,
                      const std::vector<Row>& rows) {
  if (progress_.epoch >= epoch) return;
  const Progress before = progress_;
  const std::size_t runs_before_it = runs_.size();
  try {
    Transaction transaction(database_);
    if (runs_.empty() || runs_.back().id != run.id) {
      database_.prepare("INSERT INTO run VALUES (?, ?)")
          .bind(1, as_signed(run.after))
          .bind_text(2, run.id)
          .run();
      runs_.push_back(run);
    }
    Statement into = database_.prepare("INSERT INTO snaps VALUES (?, ?, ?, ?, ?)");
    Statement supersede = database_.prepare(
        "DELETE FROM snaps WHERE state = ?1 AND kind = ?2 AND key = ?3 AND epoch < (SELECT"
        " max(epoch) FROM snaps WHERE state = ?1 AND kind = ?2 AND key = ?3 AND epoch <= ?4)"
        " RETURNING state, kind, key, epoch, value");
    for (const Row& row : rows) {
      const auto& [state, changed] = row;
      const std::string key = key_bytes(changed->key);
      insert(into, epoch, row, key);
      bind_key(supersede, *state, changed->key.kind, key);
      remove(supersede.bind(4, as_signed(horizon)));
    }
    clear_gone(horizon);
    progress_.epoch = epoch;
    progress_.horizon = horizon;
    write_progress();
    transaction.commit();
  } catch (...) {
    progress_ = before;
    runs_.resize(runs_before_it);
    throw;
  }
  if (database_.wal_pages() > kLogPagesMax) database_.checkpoint(Database::Checkpoint::kPassive);
}

void PartFile::insert(Statement& statement, std::uint64_t epoch, const Row& row,
                      const std::string& key) {
  const auto& [state, changed] = row;
  bind_key(statement, *state, changed->key.kind, key);
  statement.bind(4, as_signed(epoch));
  const std::string_view value = changed->value ? *changed->value : std::string_view();
  if (changed->value)
    statement.bind_blob(5, value);
  else
    statement.bind_null(5);
  statement.run();
  progress_.rows =
      progress_.rows + row_hash(*state, static_cast<std::int64_t>(changed->key.kind), key,
                                as_signed(epoch), changed->value ? &value : nullptr);
}

// Runs a statement that deletes rows and returns them whole.
void PartFile::remove(Statement& statement) {
  while (statement.step()) progress_.rows = progress_.rows - row_hash(statement);
}

// Keys that were forgotten up to the horizon, with all that they had before.
void PartFile::clear_gone(std::uint64_t horizon) {
  struct Gone {
    std::string state, key;
    std::int64_t kind, epoch;
  };
  Statement select = database_.prepare(
      "SELECT state, kind, key, epoch FROM snaps WHERE value IS NULL AND epoch <= ? LIMIT ?");
  select.bind(1, as_signed(horizon)).bind(2, kGoneAtOnceMax);
  std::vector<Gone> all;
  while (select.step())
    all.push_back({std::string(select.bytes(0)), std::string(select.bytes(2)), select.integer(1),
                   select.integer(3)});
  Statement statement = database_.prepare(
      "DELETE FROM snaps WHERE state = ? AND kind = ? AND key = ? AND epoch <= ? RETURNING state, "
      "kind, key, epoch, value");
  for (const Gone& gone : all) {
    bind_key(statement, gone.state, static_cast<KeyKind>(gone.kind), gone.key);
    remove(statement.bind(4, gone.epoch));
  }
}

void PartFile::write_progress() {
  const std::string sealed = seal();
  database_
      .prepare("UPDATE progress SET epoch = ?, horizon = ?, rows_high = ?, rows_low = ?, seal = ?")
      .bind(1, as_signed(progress_.epoch))
      .bind(2, as_signed(progress_.horizon))
      .bind(3, as_signed(progress_.rows.high))
      .bind(4, as_signed(progress_.rows.low))
      .bind_text(5, sealed)
      .run();
}

// Over all that the file says beside its rows.
std::string PartFile::seal() {
  digest_.add_number(place_.number);
  digest_.add_number(place_.count);
  digest_.add_bytes(place_.set);
  digest_.add_number(as_signed(progress_.epoch));
  digest_.add_number(as_signed(progress_.horizon));
  digest_.add_hash(progress_.rows);
  for (const Run& run : runs_) {
    digest_.add_number(as_signed(run.after));
    digest_.add_bytes(run.id);
  }
  return to_hex(digest_.take());
}

}  // namespace machida::store
