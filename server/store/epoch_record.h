// A row of the table `epoch` and what belongs to it besides states: positions and outboxes. Written
// once, when the epoch commits; changed once, when it closes.
#pragma once

#include <cstdint>
#include <vector>

#include "server/store/database.h"
#include "server/store/digest.h"
#include "server/store/rows.h"
#include "server/store/schema.h"

namespace machida::store {

struct EpochRecord {
  std::int64_t number = 0;
  bool closed = false;
  std::int64_t time_ms = 0;  // since 1970, when it was committed
  std::int64_t keys = 0;
  std::int64_t bytes = 0;
  std::int64_t first_row = 0;
  Hash digest;  // of its rows in `snap`, in order
  Hash positions_digest;
  Hash outbox_digest;

  std::int64_t next_row() const { return first_row + keys; }
  // Of all its content. The same before and after it is closed.
  Hash content_digest(const Meta& meta) const;
};

Hash digest_of(const std::vector<Position>& positions);
Hash digest_of(const std::vector<Outbox>& outboxes);

// In a transaction of the caller.
void insert_record(Database& database, const Meta& meta, const EpochRecord& record);
void insert_positions(Database& database, const Epoch& epoch);
void insert_outboxes(Database& database, const Epoch& epoch);
// Also drops its outbox. `record.closed` becomes true.
void close_record(Database& database, const Meta& meta, EpochRecord& record);

// All from the base on, oldest first. `damage` tells of the oldest one that can't be read, does not
// match its seal or is missing: it and those after it are not among the records.
struct Records {
  std::vector<EpochRecord> records;
  std::string damage;  // empty: none
};
Records read_records(Database& database, const Meta& meta);

// Throw StoreError if they don't match the record's digests.
std::vector<Position> read_positions(Database& database, const EpochRecord& record);
std::vector<Outbox> read_outboxes(Database& database, const EpochRecord& record);

}  // namespace machida::store
