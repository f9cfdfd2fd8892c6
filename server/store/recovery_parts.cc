#include "server/store/recovery_parts.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <regex>

#include "server/store/database.h"
#include "server/store/digest.h"

namespace machida::store {
namespace fs = std::filesystem;
namespace {

constexpr int kLogPagesMax = 1000;      // 4 MiB, then the log goes into the file
constexpr int kGoneAtOnceMax = 10'000;  // forgotten keys that a commit clears away

// The partition's number, or -1 for another file.
int number_in(const std::string& name) {
  static const std::regex pattern("part-(0|[1-9][0-9]{0,5})\\.sqlite3");
  std::smatch found;
  return std::regex_match(name, found, pattern) ? std::stoi(found[1]) : -1;
}

std::vector<int> numbers_in(const std::string& directory) {
  std::vector<int> numbers;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory))
    if (const int number = number_in(entry.path().filename().string()); number >= 0)
      numbers.push_back(number);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::string path_of(const std::string& directory, std::uint32_t number) {
  return (fs::path(directory) / fmt::format("part-{}.sqlite3", number)).string();
}

// {PartitionIndex(0), PartitionIndex(2)}
std::string set_of(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers)
    text += (text.empty() ? "{" : ", ") + ("PartitionIndex(" + std::to_string(number) + ")");
  return text + "}";
}

std::string key_bytes(const Key& key) {
  return key.kind == KeyKind::kInteger ? std::to_string(key.integer) : key.bytes;
}

}  // namespace

class RecoveryParts::File {
 public:
  explicit File(const std::string& path) : database_(path, Database::Mode::kServe) {
    database_.run("PRAGMA locking_mode=EXCLUSIVE");
    database_.run("PRAGMA journal_mode=WAL");
    database_.run("PRAGMA synchronous=FULL");
  }

  void create(std::uint32_t number, std::uint32_t count, const std::string& set) {
    Transaction transaction(database_);
    database_.run(
        "CREATE TABLE part (number INTEGER NOT NULL, count INTEGER NOT NULL, set_id TEXT NOT NULL)"
        " STRICT;"
        "CREATE TABLE progress (epoch INTEGER NOT NULL, horizon INTEGER NOT NULL) STRICT;"
        "CREATE TABLE snaps (state TEXT NOT NULL, kind INTEGER NOT NULL, key BLOB NOT NULL,"
        " epoch INTEGER NOT NULL, value BLOB, PRIMARY KEY (state, kind, key, epoch))"
        " STRICT, WITHOUT ROWID;"
        "CREATE INDEX gone ON snaps (epoch) WHERE value IS NULL;"
        "INSERT INTO progress VALUES (0, 0);");
    Statement insert = database_.prepare("INSERT INTO part VALUES (?, ?, ?)");
    insert.bind(1, number).bind(2, count).bind_text(3, set).run();
    transaction.commit();
  }

  std::int64_t number(const char* sql) { return database_.number(sql); }

  std::string set() {
    Statement select = database_.prepare("SELECT set_id FROM part");
    const std::string set(select.step() ? select.bytes(0) : std::string_view());
    select.reset();
    return set;
  }

  // Forgets what came after the epoch, and what is superseded up to the horizon.
  void go_back_to(std::uint64_t epoch, std::uint64_t horizon) {
    Transaction transaction(database_);
    bind_one("DELETE FROM snaps WHERE epoch > ?", epoch);
    bind_one(
        "DELETE FROM snaps AS old WHERE EXISTS (SELECT 1 FROM snaps AS new WHERE new.state ="
        " old.state AND new.kind = old.kind AND new.key = old.key AND new.epoch > old.epoch AND"
        " new.epoch <= ?)",
        horizon);
    bind_one("DELETE FROM snaps WHERE value IS NULL AND epoch <= ?", horizon);
    bind_one("UPDATE progress SET epoch = ?", epoch);
    transaction.commit();
    database_.checkpoint(Database::Checkpoint::kPassive);
  }

  void read(const OnState& on_state) {
    Statement select = database_.prepare(
        "SELECT state, kind, key, value, max(epoch) FROM snaps GROUP BY state, kind, key");
    while (select.step()) {
      if (select.type(3) == Statement::Type::kNull) continue;
      Key key;
      key.kind = static_cast<KeyKind>(select.integer(1));
      key.bytes = select.bytes(2);
      if (key.kind == KeyKind::kInteger) key.integer = std::stoll(key.bytes);
      on_state(std::string(select.bytes(0)), key, select.bytes(3));
    }
  }

  using Row = std::pair<const std::string*, const StateRow*>;  // state's name, row
  void commit(std::uint64_t epoch, std::uint64_t horizon, const std::vector<Row>& rows) {
    Transaction transaction(database_);
    Statement insert = database_.prepare("INSERT INTO snaps VALUES (?, ?, ?, ?, ?)");
    Statement supersede = database_.prepare(
        "DELETE FROM snaps WHERE state = ?1 AND kind = ?2 AND key = ?3 AND epoch < (SELECT"
        " max(epoch) FROM snaps WHERE state = ?1 AND kind = ?2 AND key = ?3 AND epoch <= ?4)");
    for (const auto& [state, row] : rows) {
      const std::string key = key_bytes(row->key);
      bind_key(insert, *state, row->key.kind, key);
      insert.bind(4, static_cast<std::int64_t>(epoch));
      if (row->value)
        insert.bind_blob(5, *row->value);
      else
        insert.bind_null(5);
      insert.run();
      bind_key(supersede, *state, row->key.kind, key);
      supersede.bind(4, static_cast<std::int64_t>(horizon)).run();
    }
    clear_gone(horizon);
    Statement progress = database_.prepare("UPDATE progress SET epoch = ?, horizon = ?");
    progress.bind(1, static_cast<std::int64_t>(epoch));
    progress.bind(2, static_cast<std::int64_t>(horizon)).run();
    transaction.commit();
    if (database_.wal_pages() > kLogPagesMax) database_.checkpoint(Database::Checkpoint::kPassive);
  }

 private:
  static void bind_key(Statement& statement, const std::string& state, KeyKind kind,
                       const std::string& key) {
    statement.bind_text(1, state).bind(2, static_cast<std::int64_t>(kind)).bind_blob(3, key);
  }

  void bind_one(const char* sql, std::uint64_t value) {
    Statement statement = database_.prepare(sql);
    statement.bind(1, static_cast<std::int64_t>(value)).run();
  }

  // Keys that were forgotten up to the horizon, with all that they had before.
  void clear_gone(std::uint64_t horizon) {
    Statement select = database_.prepare(
        "SELECT state, kind, key, epoch FROM snaps WHERE value IS NULL AND epoch <= ? LIMIT ?");
    select.bind(1, static_cast<std::int64_t>(horizon)).bind(2, kGoneAtOnceMax);
    std::vector<std::pair<Key, std::pair<std::string, std::int64_t>>> gone;
    while (select.step()) {
      Key key;
      key.kind = static_cast<KeyKind>(select.integer(1));
      key.bytes = select.bytes(2);
      gone.push_back({std::move(key), {std::string(select.bytes(0)), select.integer(3)}});
    }
    Statement remove = database_.prepare(
        "DELETE FROM snaps WHERE state = ? AND kind = ? AND key = ? AND epoch <= ?");
    for (const auto& [key, place] : gone) {
      bind_key(remove, place.first, key.kind, key.bytes);
      remove.bind(4, place.second).run();
    }
  }

  Database database_;
};

void RecoveryParts::create(const std::string& directory, std::uint32_t count) {
  if (const std::vector<int> there = numbers_in(directory); !there.empty())
    throw StoreError(path_of(directory, static_cast<std::uint32_t>(there[0])) +
                     " exists: the directory has recovery partitions already");
  const std::string set = to_hex({random_number(), random_number()});
  for (std::uint32_t number = 0; number < count; ++number)
    File(path_of(directory, number)).create(number, count, set);
}

RecoveryParts::RecoveryParts(const std::string& directory, std::int64_t backup_interval_us)
    : backup_interval_us_(backup_interval_us) {
  using Kind = PartsError::Kind;
  const std::vector<int> there = numbers_in(directory);
  if (there.empty())
    throw PartsError(Kind::kNone,
                     "No recovery partitions found on any worker; can't resume: " + directory +
                         " has none; `python -m bytewax.recovery` makes them");
  for (const int number : there)
    files_.push_back(
        std::make_unique<File>(path_of(directory, static_cast<std::uint32_t>(number))));
  const std::int64_t count = files_[0]->number("SELECT count FROM part");
  std::vector<int> missing, old;
  for (int number = 0; number < count; ++number)
    if (!std::binary_search(there.begin(), there.end(), number)) missing.push_back(number);
  if (!missing.empty())
    throw PartsError(
        Kind::kMissing,
        fmt::format("Missing recovery partitions {} of PartitionCount({}); can't resume",
                    set_of(missing), count));
  for (std::size_t i = 0; i < files_.size(); ++i)
    if (const std::int64_t number = files_[i]->number("SELECT number FROM part");
        number != there[i] || number >= count)
      throw StoreError(fmt::format("{} holds recovery partition {} of {}, not what its name says",
                                   path_of(directory, static_cast<std::uint32_t>(there[i])), number,
                                   count));
  epoch_ = static_cast<std::uint64_t>(files_[0]->number("SELECT epoch FROM progress"));
  for (const auto& file : files_) {
    if (file->set() != files_[0]->set())
      throw StoreError(directory + " has recovery partitions that were not made together");
    const auto stored = static_cast<std::uint64_t>(file->number("SELECT epoch FROM progress"));
    const auto horizon = static_cast<std::uint64_t>(file->number("SELECT horizon FROM progress"));
    epoch_ = std::min(epoch_, stored);
    horizon_ = std::max(horizon_, horizon);
  }
  for (std::size_t i = 0; i < files_.size(); ++i)
    if (static_cast<std::uint64_t>(files_[i]->number("SELECT epoch FROM progress")) < horizon_)
      old.push_back(there[i]);
  if (!old.empty())
    throw PartsError(
        Kind::kInconsistent,
        fmt::format("Recovery partitions {} of PartitionCount({}) are too old to resume "
                    "without data loss; do you have a newer backup of these "
                    "partitions?",
                    set_of(old), count));
  for (const auto& file : files_) file->go_back_to(epoch_, horizon_);
}

RecoveryParts::~RecoveryParts() = default;

void RecoveryParts::read_states(const OnState& on_state) {
  for (const auto& file : files_) file->read(on_state);
}

std::uint64_t RecoveryParts::horizon_at(std::int64_t now_us) {
  while (!ended_.empty() && ended_.front().second <= now_us - backup_interval_us_) {
    horizon_ = ended_.front().first;
    ended_.pop_front();
  }
  return horizon_;
}

void RecoveryParts::commit(std::uint64_t epoch, std::int64_t now_us,
                           const std::vector<StateRows>& states) {
  std::vector<std::vector<File::Row>> rows(files_.size());
  for (const StateRows& of_state : states)
    for (const StateRow& row : of_state.rows)
      rows[hash_of(of_state.state + '\0' + key_bytes(row.key), 0).low % files_.size()].emplace_back(
          &of_state.state, &row);
  const std::uint64_t horizon = horizon_at(now_us);
  for (std::size_t i = 0; i < files_.size(); ++i) files_[i]->commit(epoch, horizon, rows[i]);
  epoch_ = epoch;
  ended_.emplace_back(epoch, now_us);
}

}  // namespace machida::store
