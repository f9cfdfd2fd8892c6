// Damage to files, read off a fuzzer's bytes: the same for every target that opens files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "tests/unit/store/support.h"

namespace machida::fuzz {

// The fuzzer's bytes, taken from the front; zeros when there are no more.
class Script {
 public:
  Script(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}

  bool done() const { return at_ == end_; }
  std::uint8_t byte() { return done() ? 0 : *at_++; }
  std::uint16_t word() { return static_cast<std::uint16_t>(byte() | byte() << 8); }
  // Below `end`, which is not 0.
  std::size_t below(std::size_t end) { return (word() | std::size_t{word()} << 16) % end; }
  std::string text(std::size_t bytes);

 private:
  const std::uint8_t *at_, *end_;
};

using Files = std::map<std::string, std::string>;  // name, content
using Touched = std::set<std::string>;             // names

Files files_of(const testing::TempDirectory& directory);
void write_files(const testing::TempDirectory& directory, const Files& files);

// Flips, overwrites, cuts, moves pages, removes files, until the script ends.
Touched damage_bytes(Script& script, Files& files);
// Changes, removes and copies rows of an SQLite file, and tables. What SQLite refuses is left out.
void damage_rows(Script& script, const std::string& path);

}  // namespace machida::fuzz
