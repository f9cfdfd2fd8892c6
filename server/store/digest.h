// Digests: XXH3 with 128 bits, over numbers and bytes in order. Against damage, not against people:
// who may write into the recovery directory has won already.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace machida::store {

struct Hash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend bool operator==(const Hash&, const Hash&) = default;
};

std::string to_hex(const Hash& hash);  // 32 digits

class Digest {
 public:
  Digest();
  ~Digest();

  void add_numbers(std::span<const std::uint64_t> numbers);
  void add_number(std::int64_t number);
  void add_raw(std::string_view bytes);    // their number has to be told otherwise
  void add_bytes(std::string_view bytes);  // with their number
  void add_hash(const Hash& hash);
  // Of all that was added since the last call.
  Hash take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Hash hash_of(std::string_view bytes, std::uint64_t seed);
std::uint64_t checksum(std::string_view bytes, std::uint64_t seed);

std::uint64_t random_number();

}  // namespace machida::store
