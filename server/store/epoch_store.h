// What keeps the epochs of one worker, as those see it who write and read them: store::Store in the
// server, memory that fails on purpose in a simulation. Blocks; by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "server/store/rows.h"
#include "server/store/store_error.h"

namespace machida::store {

class EpochStore {
 public:
  virtual ~EpochStore() = default;

  // The newest epoch: its number, positions, and outboxes unless it is closed. The states are read
  // by read_states(). Nothing: a fresh store.
  struct Newest {
    Epoch epoch;
    bool closed = false;
  };
  virtual std::optional<Newest> newest() const = 0;

  // How many keys read_states() will report.
  virtual std::uint64_t keys() const = 0;
  // The newest value of every key. The views are valid during the call only.
  using OnState =
      std::function<void(std::string_view state, const Key& key, std::string_view value)>;
  virtual void read_states(const OnState& on_state) const = 0;

  // Durable when it returns. Numbers follow each other, and an epoch with outputs is closed before
  // the next one. Throws StoreFull and StoreError (fsync: fatal).
  virtual void commit(const Epoch& epoch) = 0;
  // The newest epoch's outputs are visible: its outbox can go. Durable with the next commit at the
  // latest.
  virtual void close(std::int64_t epoch) = 0;
};

}  // namespace machida::store
