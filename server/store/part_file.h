// One recovery partition: an SQLite file (WAL) with the snapshots of the keys whose hash chooses
// it, which runs wrote it, and digests of all that, so that damage is loud. One thread at a time;
// blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/store/database.h"
#include "server/store/digest.h"
#include "server/store/rows.h"

namespace machida::store {

class PartFile {
 public:
  struct Place {
    std::int64_t number = 0, count = 0;
    std::string set;  // by chance: what was made together
  };
  // A run of the dataflow that stored something. Runs that go on from different states differ.
  struct Run {
    std::uint64_t after = 0;  // the epoch that it went on from
    std::string id;           // by chance

    friend bool operator==(const Run&, const Run&) = default;
  };
  using Row = std::pair<const std::string*, const StateRow*>;  // state's name, row
  using OnState =
      std::function<void(const std::string& state, const Key& key, std::string_view value)>;

  // An empty one, which is closed again. Throws StoreError.
  static void create(const std::string& path, const Place& place);
  enum class Access {
    kRun,      // keeps others from it, and verifies all of it
    kInspect,  // changes nothing; refused while a run has it
  };
  // Throws StoreError.
  explicit PartFile(const std::string& path, Access access = Access::kRun);

  const std::string& path() const noexcept { return database_.path(); }
  const Place& place() const noexcept { return place_; }
  std::uint64_t epoch() const noexcept { return progress_.epoch; }
  // Up to here superseded snapshots are gone.
  std::uint64_t horizon() const noexcept { return progress_.horizon; }
  std::vector<Run> runs_before(std::uint64_t epoch) const;
  // Reads everything. Throws StoreError with what is wrong.
  void verify();

  // What is left of an epoch's snapshots, bytes of keys and values; oldest first.
  struct EpochFacts {
    std::uint64_t number = 0;
    std::int64_t snapshots = 0, bytes = 0;
  };
  std::vector<EpochFacts> epochs();

  // Forgets what came after the epoch, and what is superseded up to the horizon.
  void go_back_to(std::uint64_t epoch, std::uint64_t horizon);
  // The newest value of every key that has one, as of an epoch.
  void read(std::uint64_t epoch, const OnState& on_state);
  // Durable when it returns. An epoch that is there already is not stored again.
  void commit(std::uint64_t epoch, std::uint64_t horizon, const Run& run,
              const std::vector<Row>& rows);

 private:
  struct Progress {
    std::uint64_t epoch = 0, horizon = 0;
    Hash rows;  // the sum of their hashes
  };
  void take();
  void set_access(Access access);
  void check_format();
  void load();
  Hash sum_of(const char* select);
  Hash row_hash(std::string_view state, std::int64_t kind, std::string_view key, std::int64_t epoch,
                const std::string_view* value);
  Hash row_hash(const Statement& row);
  void insert(Statement& statement, std::uint64_t epoch, const Row& row, const std::string& key);
  void remove(Statement& statement);
  void clear_gone(std::uint64_t horizon);
  void write_progress();
  std::string seal();

  Database database_;
  Digest digest_;
  Place place_;
  Progress progress_;
  std::vector<Run> runs_;
};

}  // namespace machida::store
