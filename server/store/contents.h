// Everything that a store says, read and verified: what to start from, or what is wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/store/database.h"
#include "server/store/epoch_record.h"
#include "server/store/head.h"
#include "server/store/names.h"
#include "server/store/scan.h"

namespace machida::store {

struct Contents {
  Meta meta;
  std::unique_ptr<Database> base;  // null: there is none yet
  // Those that verify, with all before them; oldest first.
  std::vector<EpochRecord> records;
  std::vector<Position> positions;  // of the newest of them
  std::vector<Outbox> outboxes;
  // Of all rows of the records and the base, in the order of a Scan: the newest one of its key, and
  // a value?
  std::vector<bool> newest_rows;
  std::uint64_t keys = 0;       // that have a value
  bool rows_are_known = false;  // the records and newest_rows are what the store has now

  std::vector<std::string> damage;  // each with its file; empty: all of it verifies
  bool has_usable_epoch = true;     // false: not even an older epoch can be used
  bool only_head_damaged = false;   // what is there is sound, but older than its head
  // Known to have been committed, even if it can't be used.
  std::int64_t newest_known = 0;

  HeadMark head_mark() const;
  void forget_rows();
};

// Of a store of this format. `meta`: as read_meta() gives it. Throws StoreError when the device
// fails in a way that leaves nothing to say.
Contents read_contents(Database& store, const Meta& meta, const std::string& directory,
                       const Names& names, const HeadFacts& head);

// Fills newest_rows and keys. Throws DamagedRows.
void find_newest_rows(Database& store, Contents& contents);

}  // namespace machida::store
