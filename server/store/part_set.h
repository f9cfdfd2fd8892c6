// The recovery partitions of one directory together: whether they are a set to go on from, and how
// far. One thread at a time; blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/store/part_file.h"
#include "server/store/store_error.h"

namespace machida::store {

// The files in a directory are no set to go on from.
class PartsError : public StoreError {
 public:
  enum class Kind { kNone, kMissing, kInconsistent };
  PartsError(Kind kind, const std::string& what) : StoreError(what), kind_(kind) {}
  Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

// The partition's path, made or not.
std::string part_path(const std::string& directory, std::uint32_t number);
// The numbers of the partitions that are there, sorted. Throws StoreError when the directory can't
// be read.
std::vector<std::uint32_t> part_numbers(const std::string& directory);

class PartSet {
 public:
  using Files = std::vector<std::unique_ptr<PartFile>>;
  // All that are in the directory, sorted by number. Throws PartsError and StoreError when they are
  // no set.
  PartSet(const std::string& directory, Files files);

  const Files& files() const noexcept { return files_; }
  // The newest epoch that is in every file; 0: none.
  std::uint64_t epoch() const noexcept { return epoch_; }
  // Up to here superseded snapshots are gone, in some file.
  std::uint64_t horizon() const noexcept { return horizon_; }

 private:
  void check_places(const std::string& directory) const;
  void check_progress();

  Files files_;
  std::uint64_t epoch_ = 0, horizon_ = 0;
};

}  // namespace machida::store
