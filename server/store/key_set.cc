#include "server/store/key_set.h"

namespace machida::store {
namespace {

constexpr std::size_t kSlotsMin = 1024;

template <class T>
void append(std::string& to, T number) {
  to.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

bool KeySet::insert(std::string_view state, const Key& key) {
  scratch_.clear();
  append(scratch_, static_cast<std::uint64_t>(key.kind));
  append(scratch_, key.integer);
  append(scratch_, state.size());
  scratch_ += state;
  scratch_ += key.bytes;
  Hash hash = hash_of(scratch_, seed_);
  if (hash == Hash{}) hash.low = 1;
  if ((size_ + 1) * 4 > slots_.size() * 3) grow();
  if (!place(hash)) return false;
  ++size_;
  return true;
}

bool KeySet::place(const Hash& hash) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash.low & mask;
  while (slots_[at] != Hash{}) {
    if (slots_[at] == hash) return false;
    at = (at + 1) & mask;
  }
  slots_[at] = hash;
  return true;
}

void KeySet::grow() {
  std::vector<Hash> old(slots_.empty() ? kSlotsMin : slots_.size() * 2);
  old.swap(slots_);
  for (const Hash& hash : old)
    if (hash != Hash{}) place(hash);
}

void KeySet::clear() {
  slots_ = {};
  size_ = 0;
}

}  // namespace machida::store
