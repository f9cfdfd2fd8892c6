// Which keys were met: hashes of state name and key, 16 bytes and some room each. The hashes are of
// 128 bits and seeded by chance, so two keys are never taken for one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/digest.h"
#include "server/store/rows.h"

namespace machida::store {

class KeySet {
 public:
  KeySet() : seed_(random_number()) {}

  // False: it is in already.
  bool insert(std::string_view state, const Key& key);
  std::size_t size() const noexcept { return size_; }
  void clear();

 private:
  bool place(const Hash& hash);
  void grow();

  std::uint64_t seed_;
  std::string scratch_;
  std::vector<Hash> slots_;  // a power of two; all zeros is a free one
  std::size_t size_ = 0;
};

}  // namespace machida::store
