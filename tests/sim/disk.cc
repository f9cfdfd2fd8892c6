#include "tests/sim/disk.h"

namespace machida::sim {

void FaultyStore::commit(const store::Epoch& epoch) {
  if (random_.chance(troubles_.full)) throw store::StoreFull("the device is full");
  const bool broken = random_.chance(troubles_.broken);
  if (!broken || random_.chance(50)) store_->commit(epoch);
  if (broken) throw store::StoreError("the device is broken");
}

void FaultyStore::close(std::int64_t epoch) {
  const bool broken = random_.chance(troubles_.broken);
  if (!broken || random_.chance(50)) store_->close(epoch);
  if (broken) throw store::StoreError("the device is broken");
}

bool FaultyJournal::append(std::uint32_t source, std::span<const std::string_view> frames) {
  return !random_.chance(troubles_.full) && journal_->append(source, frames);
}

void FaultyJournal::sync() {
  if (random_.chance(troubles_.broken)) throw store::StoreError("the device is broken");
  journal_->sync();
}

}  // namespace machida::sim
