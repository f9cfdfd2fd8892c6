#include "server/store/schema.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <map>

#include "server/base/log.h"
#include "server/store/store_error.h"

namespace machida::store {
namespace {

// As sqlite_schema repeats it, so that check_tables() can compare.
constexpr const char* kMetaTable = "CREATE TABLE meta(name TEXT PRIMARY KEY, value)";
constexpr const char* kSnapTable =
    "CREATE TABLE snap(id INTEGER PRIMARY KEY, epoch INTEGER, state TEXT, key, key_kind INTEGER, "
    "value BLOB)";
// The rows of epoch n in snap are first_row, first_row + 1, ...: `keys` of them.
constexpr const char* kEpochTable =
    "CREATE TABLE epoch(n INTEGER PRIMARY KEY, closed INTEGER, time_ms INTEGER, keys INTEGER, "
    "bytes INTEGER, first_row INTEGER, digest TEXT, positions_digest TEXT, outbox_digest TEXT, "
    "seal TEXT)";
constexpr const char* kPositionTable =
    "CREATE TABLE position(epoch INTEGER, n INTEGER, source TEXT, part TEXT, value INTEGER, "
    "PRIMARY KEY(epoch, n)) WITHOUT ROWID";
// A sink without outputs has one row, whose chunk is NULL.
constexpr const char* kOutboxTable =
    "CREATE TABLE outbox(id INTEGER PRIMARY KEY, epoch INTEGER, box INTEGER, sink TEXT, chunk "
    "BLOB)";
constexpr const char* kTables[] = {kEpochTable, kMetaTable, kOutboxTable, kPositionTable,
                                   kSnapTable};  // by name

constexpr std::array<Migration, 0> kMigrations = {};
static_assert(kMigrations.size() + 1 == kFormat, "each format has a step from the one before");

using Values = std::map<std::string, std::string>;

Values values_of(Database& database) {
  Values values;
  Statement select = database.prepare("SELECT name, CAST(value AS TEXT) FROM meta");
  while (select.step()) values.emplace(select.bytes(0), select.bytes(1));
  return values;
}

// Over names and values, so that no line of the table can change unseen.
std::string seal_of(const Values& values) {
  Digest digest;
  for (const auto& [name, value] : values) {
    if (name == "seal") continue;
    digest.add_bytes(name);
    digest.add_bytes(value);
  }
  return to_hex(digest.take());
}

[[noreturn]] void refuse(const Database& database, const std::string& why) {
  throw StoreError(database.path() + ": " + why);
}

template <class T>
T number_of(const Database& database, const Values& values, const char* name, int radix = 10) {
  const auto found = values.find(name);
  if (found == values.end()) refuse(database, fmt::format("meta has no '{}'", name));
  T number = 0;
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, radix);
  if (error != std::errc() || end != text.data() + text.size())
    refuse(database, fmt::format("'{}' in meta is '{}'", name, text));
  return number;
}

Hash hash_of(const Database& database, const Values& values, const char* name) {
  const auto found = values.find(name);
  if (found == values.end() || found->second.size() != 32)
    refuse(database, fmt::format("meta has no '{}'", name));
  const Values halves = {{"high", found->second.substr(0, 16)}, {"low", found->second.substr(16)}};
  return {number_of<std::uint64_t>(database, halves, "high", 16),
          number_of<std::uint64_t>(database, halves, "low", 16)};
}

void write_values(Database& database, Values values) {
  values["seal"] = seal_of(values);
  Statement insert = database.prepare("INSERT OR REPLACE INTO meta(name, value) VALUES(?1, ?2)");
  for (const auto& [name, value] : values) insert.bind_text(1, name).bind_text(2, value).run();
}

void check_seal(const Database& database, const Values& values) {
  const auto seal = values.find("seal");
  if (seal == values.end() || seal->second != seal_of(values))
    refuse(database, "the table meta does not match its seal");
}

// Newer formats may have another seal; what is of an older one will be changed, so it must be what
// was written.
std::int64_t format_of(Database& database, std::int64_t newest) {
  if (database.number("SELECT count(*) FROM sqlite_schema WHERE name='meta'") == 0)
    refuse(database, "is no store of this server: it has no table 'meta'");
  const Values values = values_of(database);
  const auto format = number_of<std::int64_t>(database, values, "format");
  if (format > newest)
    refuse(database, fmt::format("is of format {}, which a newer version of the server wrote; "
                                 "this one reads formats up to {}",
                                 format, newest));
  if (format < 1) refuse(database, fmt::format("is of format {}, which does not exist", format));
  check_seal(database, values);
  return format;
}

}  // namespace

bool is_empty(Database& database) {
  return database.number("SELECT count(*) FROM sqlite_schema") == 0;
}

void create_store(Database& database, const Meta& meta) {
  for (const char* table : kTables) database.run(table);
  write_meta(database, meta);
}

void create_base(Database& database, const Meta& meta, std::int64_t epoch) {
  database.run(kMetaTable);
  database.run(kSnapTable);
  write_values(database, {{"application", meta.application},
                          {"format", std::to_string(kFormat)},
                          {"worker", std::to_string(meta.worker)},
                          {"store", to_hex(meta.store)},
                          {"base", std::to_string(epoch)}});
}

void migrate(Database& database, std::span<const Migration> steps) {
  const auto newest = static_cast<std::int64_t>(steps.size()) + 1;
  for (std::int64_t from = format_of(database, newest); from < newest; ++from) {
    log::info("{}: from format {} to {}", database.path(), from, from + 1);
    Transaction transaction(database);
    steps[static_cast<std::size_t>(from) - 1](database);
    Values migrated = values_of(database);
    migrated["format"] = std::to_string(from + 1);
    write_values(database, migrated);
    transaction.commit();
  }
}

void migrate(Database& database) { migrate(database, kMigrations); }

void check_format(Database& database) {
  if (const std::int64_t format = format_of(database, kFormat); format < kFormat)
    refuse(database, fmt::format("is of format {}, which the server brings to format {} when it "
                                 "starts",
                                 format, kFormat));
}

void check_tables(Database& database) {
  Statement select =
      database.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name");
  std::size_t n = 0;
  while (select.step()) {
    if (n == std::size(kTables) || select.bytes(0) != kTables[n])
      refuse(database,
             fmt::format("has another table than format {} says: {}", kFormat, select.bytes(0)));
    ++n;
  }
  if (n != std::size(kTables)) refuse(database, "a table is missing");
}

Meta read_meta(Database& database) {
  const Values values = values_of(database);
  check_seal(database, values);
  Meta meta;
  meta.application = values.at("application");
  meta.worker = number_of<std::int64_t>(database, values, "worker");
  meta.store = hash_of(database, values, "store");
  meta.base = number_of<std::int64_t>(database, values, "base");
  meta.base_rows = number_of<std::int64_t>(database, values, "base_rows");
  meta.base_bytes = number_of<std::int64_t>(database, values, "base_bytes");
  meta.base_digest = hash_of(database, values, "base_digest");
  return meta;
}

void write_meta(Database& database, const Meta& meta) {
  write_values(database, {{"application", meta.application},
                          {"format", std::to_string(kFormat)},
                          {"worker", std::to_string(meta.worker)},
                          {"store", to_hex(meta.store)},
                          {"base", std::to_string(meta.base)},
                          {"base_rows", std::to_string(meta.base_rows)},
                          {"base_bytes", std::to_string(meta.base_bytes)},
                          {"base_digest", to_hex(meta.base_digest)}});
}

}  // namespace machida::store
