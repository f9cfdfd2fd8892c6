// The tables of a store, how a file gets them, and the table `meta`: whose store it is.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "server/store/database.h"
#include "server/store/digest.h"

namespace machida::store {

inline constexpr std::int64_t kFormat = 1;

struct Meta {
  std::string application;
  std::int64_t worker = 0;
  Hash store;  // by chance: this store and no other; its head and bases name it too
  // What the rows of the epochs up to this one were compacted into; 0: nothing yet.
  std::int64_t base = 0;
  std::int64_t base_rows = 0;
  std::int64_t base_bytes = 0;
  Hash base_digest;
};

// Whether there are no tables yet.
bool is_empty(Database& database);
// In a transaction of the caller.
void create_store(Database& database, const Meta& meta);
void create_base(Database& database, const Meta& meta, std::int64_t epoch);

// Makes a format's tables of those of the format before; the number in `meta` is not its matter.
using Migration = void (*)(Database&);
// Brings the file to the newest format, each step in a transaction of its own: steps[i] makes
// format i + 2 of format i + 1. Throws StoreError if it is of a newer one or of none.
void migrate(Database& database, std::span<const Migration> steps);
// With the steps to kFormat.
void migrate(Database& database);
// Throws StoreError if it is not of this format.
void check_format(Database& database);
// Throws StoreError if the tables are not those of this format.
void check_tables(Database& database);
Meta read_meta(Database& database);
// In a transaction of the caller.
void write_meta(Database& database, const Meta& meta);

}  // namespace machida::store
