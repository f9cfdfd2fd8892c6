// The checkpoint store of one worker: an SQLite file (WAL) with append-only rows of changed states,
// one durable transaction per epoch, a digest per epoch so that damage is loud, and compaction in
// small steps. Blocks: called off the loop, by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/directory.h"
#include "server/store/rows.h"
#include "server/store/store_error.h"

namespace machida::store {

class Store {
 public:
  enum class Damage {
    kRefuse,
    // The newest epoch that verifies is used and what came after it is dropped, with a warning().
    // Throws when there is none. What was damaged is kept beside it under another name.
    kAcceptOlder,
  };
  // Opens or creates the file of the worker and verifies all of it. Throws StoreError.
  Store(const Directory& directory, int worker, const std::string& application,
        Damage damage = Damage::kRefuse);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // What was dropped, and why; empty: nothing.
  const std::string& warning() const;

  // The newest epoch: its number, positions, and outboxes unless it is closed. The states are read
  // by read_states(). Nothing: a fresh store.
  struct Newest {
    Epoch epoch;
    bool closed = false;
  };
  std::optional<Newest> newest() const;

  // How many keys read_states() will report.
  std::uint64_t keys() const;
  // The newest value of every key. The views are valid during the call only.
  using OnState =
      std::function<void(std::string_view state, const Key& key, std::string_view value)>;
  void read_states(const OnState& on_state) const;

  // Durable when it returns. Numbers follow each other, and an epoch with outputs is closed before
  // the next one. Throws StoreFull and StoreError (fsync: fatal).
  void commit(const Epoch& epoch);
  // The newest epoch's outputs are visible: its outbox can go. Durable with the next commit at the
  // latest.
  void close(std::int64_t epoch);
  // A bounded piece (tens of ms) of background work: WAL checkpoint, compaction. Whether there is
  // more of it to do now. To be called at least once per epoch: when the work falls behind, a piece
  // takes up to as long as the last commit took. A full device postpones it.
  bool tidy();

  std::uint64_t bytes() const;  // on disk

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace machida::store
