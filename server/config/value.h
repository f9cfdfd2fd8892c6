// A configuration file as a tree, with the place of everything in it, whatever its format.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace machida::config {

// Of a file, both from 1 on.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;
};

struct Entry;

struct Value {
  using List = std::vector<Value>;
  using Table = std::vector<Entry>;  // in the file's order
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Table> is;
  Place place;

  const Table* table() const { return std::get_if<Table>(&is); }
  // The value of a key of a table, or null.
  const Value* find(const std::string& key) const;
  // "a text", "a table": for messages.
  const char* kind() const;
};

struct Entry {
  std::string key;
  Place place;  // of the key
  Value value;
};

}  // namespace machida::config
