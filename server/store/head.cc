#include "server/store/head.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "server/base/log.h"
#include "server/store/store_error.h"

namespace machida::store {
namespace {

constexpr std::uint64_t kMagic = 0x6461656864696863;
constexpr std::uint64_t kFormat = 1;
constexpr std::uint64_t kSlotBytes = 4096;  // apart, so that one torn write spoils one slot

struct Slot {
  std::uint64_t magic = kMagic;
  std::uint64_t format = kFormat;
  std::int64_t epoch = 0;
  Hash digest;
  Hash store;
  std::uint64_t checksum = 0;
};
static_assert(sizeof(Slot) == 64);

std::uint64_t checksum_of(const Slot& slot) {
  return checksum({reinterpret_cast<const char*>(&slot), offsetof(Slot, checksum)}, 0);
}

std::string bytes_of(const HeadMark& mark) {
  Slot slot;
  slot.epoch = mark.epoch;
  slot.digest = mark.digest;
  slot.store = mark.store;
  slot.checksum = checksum_of(slot);
  return {reinterpret_cast<const char*>(&slot), sizeof slot};
}

// In the file's making only the first slot may have reached the disk.
bool is_unwritten(const File& file, std::uint64_t offset) {
  char bytes[sizeof(Slot)] = {};
  file.read(offset, bytes, sizeof bytes);
  return std::all_of(std::begin(bytes), std::end(bytes), [](char byte) { return byte == 0; });
}

}  // namespace

HeadFacts read_head(const std::string& path) {
  HeadFacts facts;
  if (!size_of(path)) return facts;
  const File file(path, File::Mode::kRead);
  for (const std::uint64_t offset : {std::uint64_t{0}, kSlotBytes}) {
    Slot slot;
    const bool whole =
        file.read(offset, reinterpret_cast<char*>(&slot), sizeof slot) == sizeof slot;
    if (!whole || slot.magic != kMagic || slot.checksum != checksum_of(slot)) {
      facts.damaged = true;
      continue;
    }
    if (slot.format != kFormat)
      throw StoreError(path + ": was written by a newer version of the server");
    if (!facts.mark || slot.epoch > facts.mark->epoch)
      facts.mark = HeadMark{slot.epoch, slot.digest, slot.store};
  }
  const bool is_fresh = facts.mark && facts.mark->epoch == 0;
  if (is_fresh && is_unwritten(file, kSlotBytes)) facts.damaged = false;
  return facts;
}

Head::Head(const std::string& path, const HeadMark& mark) : file_(path, File::Mode::kCreate) {
  std::string both = bytes_of(mark);
  both.resize(kSlotBytes, '\0');
  both += both;
  if (!file_.write(0, both)) throw StoreFull(path + ": no room");
  file_.sync();
}

Head::Head(const std::string& path) : file_(path, File::Mode::kWrite) {}

void Head::write(const HeadMark& mark) {
  const std::uint64_t offset = mark.epoch % 2 == 0 ? 0 : kSlotBytes;
  if (!file_.write(offset, bytes_of(mark))) {
    log::warn("{}: no room to note epoch {}", file_.path(), mark.epoch);
    return;
  }
  file_.sync();
}

}  // namespace machida::store
