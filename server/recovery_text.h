// What `machida recovery` says, as text for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/recovery.h"
#include "server/store/row.h"

namespace machida {

// What the command line asks for.
struct RecoveryWanted {
  std::string command, directory, state;
  bool keys = false;
};

std::string time_text(std::int64_t time_ms);
std::string size_text(std::uint64_t bytes);
// Without control characters, which would do things to the terminal.
std::string escaped(std::string_view text);
std::string key_text(const store::Key& key);
// A line of a list of keys.
std::string key_line(std::string_view state, const store::Key& key, std::size_t bytes);

// Rows of cells as aligned columns; the first row is the heading. Numbers to the right.
class Table {
 public:
  using Row = std::vector<std::string>;
  explicit Table(Row heading) : rows_{std::move(heading)} {}
  void add(Row row) { rows_.push_back(std::move(row)); }
  std::string text() const;

 private:
  std::vector<Row> rows_;
};

// With them the report's status is that of a directory that can't be trusted.
void add_damage(const std::vector<std::string>& damage, RecoveryReport& report);

}  // namespace machida
