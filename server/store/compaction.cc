#include "server/store/compaction.h"

namespace machida::store {

Compaction::Compaction(const std::string& path, Database& store, Database* base, const Meta& meta,
                       const std::vector<EpochRecord>& records)
    : last_record_(records.back()),
      scan_(store, base, meta, records),
      writer_(path, meta, last_record_.number) {}

bool Compaction::step(Deadline deadline) {
  const bool more = scan_.step(
      [&](const Row& row) {
        if (keys_.insert(row.state, row.key) && row.value) writer_.add(row);
      },
      [&] { return std::chrono::steady_clock::now() < deadline; });
  writer_.flush();
  return more;
}

}  // namespace machida::store
