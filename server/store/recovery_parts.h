// Where dataflows keep their snapshots: a fixed number of SQLite files, part-0.sqlite3 and so on,
// in one directory, made once. A key's rows are all in the file that its hash chooses, so each file
// can be backed up by itself. An epoch is stored when it is in every file; older snapshots go once
// a newer one is, for good, older than the backup interval. Files that are damaged, or were written
// by runs that went on from different states, are refused. One thread at a time; blocks.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "server/store/part_file.h"
#include "server/store/part_set.h"
#include "server/store/rows.h"

namespace machida::store {

class RecoveryParts {
 public:
  // Makes `count` empty files, all or none of them. Throws StoreError when the directory has such
  // files.
  static void create(const std::string& directory, std::uint32_t count);

  // Opens all files, takes back what is not in every one of them, and keeps others from opening
  // them. Throws PartsError and StoreError.
  RecoveryParts(const std::string& directory, std::int64_t backup_interval_us);

  // The newest epoch that is in every file; 0: none.
  std::uint64_t epoch() const noexcept { return epoch_; }
  // The newest value of every key that has one.
  using OnState = PartFile::OnState;
  void read_states(const OnState& on_state);
  // Durable in all files when it returns. `epoch` is larger than the last one. After StoreFull it
  // can be tried again.
  void commit(std::uint64_t epoch, std::int64_t now_us, const std::vector<StateRows>& states);

 private:
  // Up to which epoch superseded snapshots are not needed any more, at this time.
  std::uint64_t horizon_at(std::int64_t now_us);

  std::int64_t backup_interval_us_;
  PartSet parts_;
  PartFile::Run run_;
  std::uint64_t epoch_, horizon_;
  std::deque<std::pair<std::uint64_t, std::int64_t>> ended_;  // epochs after the horizon: when
};

}  // namespace machida::store
