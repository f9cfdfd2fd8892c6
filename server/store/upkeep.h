// The background work of a store, in pieces: moves the write-ahead log into the file, compacts, and
// deletes what compaction has made superfluous.
//
// A compaction writes the newest row of every key as of an epoch B into a new base file, while
// commits go on behind B. One short durable transaction then names that base in `meta`; only after
// it is anything removed: the old base file, and rows and epochs up to B, in pieces. Before the
// switch the new file is not looked at, and after it the old rows are not, so a crash anywhere
// leaves a store that verifies.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/store/compaction.h"
#include "server/store/contents.h"
#include "server/store/names.h"
#include "server/store/store_error.h"

namespace machida::store {

class Upkeep {
 public:
  // `contents.meta` and `contents.base` change with a new base. All must outlive it.
  Upkeep(Database& database, Contents& contents, std::string directory, const Names& names);

  void on_commit(const EpochRecord& record, std::chrono::steady_clock::duration time);
  // Whether there is more to do now. Throws StoreError.
  bool step();
  // Gives back what can be given back at once, when the device is full.
  void make_room();

 private:
  std::int64_t rows_max() const;
  std::int64_t rows_behind_base() const;
  bool wants_compaction() const;
  Deadline deadline() const;
  bool checkpoint();
  bool collect_garbage();
  bool compact();
  void begin_compaction();
  void use_new_base();
  void postpone(const StoreFull& error);
  void drop_compaction();
  std::string path_of_base(std::int64_t epoch) const;

  Database& database_;
  Contents& contents_;
  std::string directory_;
  Names names_;
  std::optional<EpochRecord> newest_, base_;
  std::chrono::steady_clock::duration last_commit_{0};
  std::unique_ptr<Compaction> compaction_;
  bool has_garbage_ = false;
  std::int64_t next_try_ = 0;  // not before this epoch
};

// Until its end commits need not be durable by themselves: the next one makes them so.
class Relaxed {
 public:
  explicit Relaxed(Database& database);
  ~Relaxed();
  Relaxed(const Relaxed&) = delete;
  Relaxed& operator=(const Relaxed&) = delete;

 private:
  Database& database_;
};

}  // namespace machida::store
