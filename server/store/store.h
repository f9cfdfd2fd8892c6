// The checkpoint store of one worker: an SQLite file (WAL) with append-only rows of changed states,
// one durable transaction per epoch, a digest per epoch so that damage is loud, and compaction in
// small steps. Blocks: called off the loop, by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/store/directory.h"
#include "server/store/epoch_store.h"
#include "server/store/rows.h"

namespace machida::store {

class Store final : public EpochStore {
 public:
  // Opens or creates the file of the worker and verifies all of it. Throws StoreError.
  // Damage::kAcceptOlder: the newest epoch that verifies is used and what came after it is dropped,
  // with a warning(). Throws when there is none. What was damaged is kept beside it under another
  // name.
  Store(const Directory& directory, int worker, const std::string& application,
        Damage damage = Damage::kRefuse);
  ~Store() override;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // What was dropped, and why; empty: nothing.
  const std::string& warning() const;

  std::optional<Newest> newest() const override;
  std::uint64_t keys() const override;
  void read_states(const OnState& on_state) const override;
  void commit(const Epoch& epoch) override;
  void close(std::int64_t epoch) override;
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
