#include "server/store/digest.h"

#include <fmt/core.h>
#include <xxhash.h>

#include <random>

#include "server/base/handle.h"

namespace machida::store {

struct Digest::State {
  CPtr<XXH3_state_t, XXH3_freeState> xxh{XXH3_createState()};
};

std::string to_hex(const Hash& hash) { return fmt::format("{:016x}{:016x}", hash.high, hash.low); }

Digest::Digest() : state_(std::make_unique<State>()) {
  if (!state_->xxh) throw std::bad_alloc();
  XXH3_128bits_reset(state_->xxh.get());
}

Digest::~Digest() = default;

void Digest::add_numbers(std::span<const std::uint64_t> numbers) {
  XXH3_128bits_update(state_->xxh.get(), numbers.data(), numbers.size_bytes());
}

void Digest::add_number(std::int64_t number) {
  XXH3_128bits_update(state_->xxh.get(), &number, sizeof number);
}

void Digest::add_raw(std::string_view bytes) {
  XXH3_128bits_update(state_->xxh.get(), bytes.data(), bytes.size());
}

void Digest::add_bytes(std::string_view bytes) {
  add_number(static_cast<std::int64_t>(bytes.size()));
  add_raw(bytes);
}

void Digest::add_hash(const Hash& hash) {
  const std::uint64_t numbers[] = {hash.high, hash.low};
  add_numbers(numbers);
}

Hash Digest::take() {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->xxh.get());
  XXH3_128bits_reset(state_->xxh.get());
  return {hash.high64, hash.low64};
}

Hash hash_of(std::string_view bytes, std::uint64_t seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {hash.high64, hash.low64};
}

std::uint64_t checksum(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

std::uint64_t random_number() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

}  // namespace machida::store
