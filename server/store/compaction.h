// Makes a new base in pieces: the newest row of every key as of an epoch, read from the epochs'
// rows and the old base and checked against their digests on the way, so that damage is not copied
// under a new digest.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "server/store/base_file.h"
#include "server/store/key_set.h"
#include "server/store/scan.h"

namespace machida::store {

using Deadline = std::chrono::steady_clock::time_point;

class Compaction {
 public:
  // As of the last of `records`. The databases must outlive it.
  Compaction(const std::string& path, Database& store, Database* base, const Meta& meta,
             const std::vector<EpochRecord>& records);

  std::int64_t epoch() const noexcept { return last_record_.number; }
  const EpochRecord& last_record() const noexcept { return last_record_; }
  // Whether there is more to do. What it has written is durable.
  bool step(Deadline deadline);
  void describe_in(Meta& meta) { writer_.describe_in(meta); }

 private:
  EpochRecord last_record_;
  Scan scan_;
  KeySet keys_;
  BaseWriter writer_;
};

}  // namespace machida::store
