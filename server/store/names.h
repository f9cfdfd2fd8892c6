// What the files of a worker are called.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace machida::store {

struct Names {
  explicit Names(int worker);

  std::string store;                           // worker-0.sqlite3
  std::string head;                            // worker-0.head
  std::string rebuilt;                         // worker-0.rebuilt.sqlite3: see rebuild.h
  std::string damaged;                         // worker-0.damaged.sqlite3
  std::string base(std::int64_t epoch) const;  // worker-0.base-12.sqlite3
  // The epoch of a base file's name.
  std::optional<std::int64_t> base_epoch(const std::string& name) const;

 private:
  std::string stem_;
};

// The workers whose stores, or heads of stores, are among the names.
std::vector<int> workers_in(const std::vector<std::string>& names);

// The number between a prefix and a suffix of a name.
std::optional<std::int64_t> number_between(const std::string& name, const std::string& prefix,
                                           const std::string& suffix);

}  // namespace machida::store
