// A base: the newest row of every key as of one epoch, in a file of its own that is written once
// and then only read. Compaction makes it in pieces beside the store, which so stays small and free
// of the traffic; the store's table `meta` says which base counts and what its digest is.
#pragma once

#include <cstdint>
#include <string>

#include "server/store/database.h"
#include "server/store/digest.h"
#include "server/store/row.h"
#include "server/store/schema.h"

namespace machida::store {

class BaseWriter {
 public:
  // A file of that name is replaced.
  BaseWriter(const std::string& path, const Meta& meta, std::int64_t epoch);

  void add(const Row& row);
  // What was added is durable when it returns.
  void flush();

  // Once all is added and flushed: names it in `meta`.
  void describe_in(Meta& meta);

 private:
  std::int64_t epoch_;
  Database database_;
  Statement insert_;
  Digest digest_;
  std::int64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace machida::store
