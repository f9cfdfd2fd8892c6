#include "tests/fuzz/damage.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "server/store/database.h"

namespace machida::fuzz {
namespace {

constexpr std::size_t kEditsMax = 8;
constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kBytesAtOnceMax = 64;

// Anywhere, or near the beginning of a page, where headers are.
std::size_t place_in(Script& script, const std::string& content) {
  if (content.empty()) return 0;
  if (script.byte() % 2 == 0) return script.below(content.size());
  const std::size_t page = script.below(content.size() / kPageBytes + 1);
  return std::min(page * kPageBytes + script.byte(), content.size() - 1);
}

void edit(Script& script, std::string& content) {
  const std::uint8_t what = script.byte() % 6;
  const std::size_t at = place_in(script, content);
  const std::size_t room = content.size() - at;
  switch (what) {
    case 0:
      if (room > 0) content[at] = static_cast<char>(content[at] ^ (1 << script.byte() % 8));
      break;
    case 1: {
      const std::string bytes = script.text(1 + script.byte() % kBytesAtOnceMax);
      content.replace(at, std::min(room, bytes.size()), bytes);
      break;
    }
    case 2:
      content.resize(at);
      break;
    case 3: {
      const std::size_t zeros = std::min(room, std::size_t{script.word()});
      content.replace(at, zeros, zeros, '\0');
      break;
    }
    case 4:
      content.insert(at, script.text(script.byte() % kBytesAtOnceMax));
      break;
    case 5:
      if (content.size() >= kPageBytes) {
        const std::size_t pages = content.size() / kPageBytes;
        const std::string page = content.substr(script.below(pages) * kPageBytes, kPageBytes);
        content.replace(script.below(pages) * kPageBytes, kPageBytes, page);
      }
      break;
  }
}

std::vector<std::string> column(store::Database& database, const std::string& sql) {
  std::vector<std::string> values;
  store::Statement select = database.prepare(sql);
  while (select.step()) values.emplace_back(select.bytes(0));
  return values;
}

std::string hex(const std::string& bytes) {
  std::string digits;
  for (const char c : bytes) {
    digits += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
    digits += "0123456789abcdef"[c & 15];
  }
  return digits;
}

std::string literal(Script& script, const std::string& table, const std::string& name) {
  switch (script.byte() % 9) {
    case 0:
      return std::to_string(static_cast<std::int8_t>(script.byte()));
    case 1:
      return "9223372036854775807";
    case 2:
      return "-9223372036854775808";
    case 3:
      return "NULL";
    case 4:
      return "CAST(x'" + hex(script.text(script.byte() % 40)) + "' AS TEXT)";
    case 5:
      return "x'" + hex(script.text(script.byte() % 40)) + "'";
    case 6:
      return "(SELECT " + name + " FROM " + table + " LIMIT 1 OFFSET " +
             std::to_string(script.byte()) + ")";
    case 7:
      return name + "+1";
    default:
      return "substr(" + name + ",2)";
  }
}

std::string statement(Script& script, store::Database& database) {
  const std::vector<std::string> tables =
      column(database, "SELECT name FROM sqlite_schema WHERE type='table'");
  if (tables.empty()) return "";
  const std::string& table = tables[script.below(tables.size())];
  const std::vector<std::string> names =
      column(database, "SELECT name FROM pragma_table_info('" + table + "')");
  if (names.empty()) return "";
  const std::string& name = names[script.below(names.size())];
  const std::string where = " WHERE " + name + " IS (SELECT " + name + " FROM " + table +
                            " LIMIT 1 OFFSET " + std::to_string(script.byte()) + ")";
  switch (script.byte() % 8) {
    case 0:
      return "DELETE FROM " + table + where;
    case 1: {
      std::string all;
      for (const std::string& other : names)
        all += (all.empty() ? "" : ",") + (other == name ? literal(script, table, name) : other);
      return "INSERT INTO " + table + " SELECT " + all + " FROM " + table + where;
    }
    case 2:
      return "PRAGMA user_version=" + std::to_string(script.byte());
    case 3:
      switch (script.byte() % 4) {
        case 0:
          return "DROP TABLE " + table;
        case 1:
          return "ALTER TABLE " + table + " RENAME TO other";
        case 2:
          return "ALTER TABLE " + table + " ADD COLUMN other";
        default:
          return "CREATE TABLE other(a)";
      }
    default:
      return "UPDATE " + table + " SET " + name + "=" + literal(script, table, name) + where;
  }
}

}  // namespace

std::string Script::text(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes && !done()) text += static_cast<char>(byte());
  return text;
}

Files files_of(const testing::TempDirectory& directory) {
  Files files;
  for (const std::string& name : directory.names())
    files[name] = testing::read_file(directory.file(name));
  return files;
}

void write_files(const testing::TempDirectory& directory, const Files& files) {
  for (const std::string& name : directory.names())
    std::filesystem::remove_all(directory.file(name));
  for (const auto& [name, content] : files) testing::write_file(directory.file(name), content);
}

Touched damage_bytes(Script& script, Files& files) {
  Touched touched;
  for (std::size_t edits = 0; edits < kEditsMax && !script.done() && !files.empty(); ++edits) {
    const std::uint8_t code = script.byte();
    const auto file = std::next(files.begin(), code % static_cast<int>(files.size()));
    touched.insert(file->first);
    if (code >= 0xF8)
      files.erase(file);
    else
      edit(script, file->second);
  }
  return touched;
}

void damage_rows(Script& script, const std::string& path) {
  for (std::size_t edits = 0; edits < kEditsMax && !script.done(); ++edits) {
    try {
      store::Database database(path, store::Database::Mode::kServe);
      database.run(statement(script, database).c_str());
    } catch (const store::StoreError&) {
    }
  }
}

}  // namespace machida::fuzz
