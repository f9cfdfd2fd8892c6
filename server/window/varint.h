// Integers in as few bytes as they need: seven bits each, lowest first, the eighth bit says that
// more follow. Signed ones alternate, 0 -1 1 -2 2, so that small means short.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace machida::window {

inline void put_unsigned(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

inline void put_signed(std::string& out, std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  put_unsigned(out, bits << 1 ^ (value < 0 ? ~std::uint64_t{0} : 0));
}

// Take it off the front of `bytes`; nothing when it is cut off or has more than 64 bits.
inline std::optional<std::uint64_t> take_unsigned(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (shift == 63 && byte > 1) return std::nullopt;
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

inline std::optional<std::int64_t> take_signed(std::string_view& bytes) {
  const std::optional<std::uint64_t> value = take_unsigned(bytes);
  if (!value) return std::nullopt;
  return static_cast<std::int64_t>(*value >> 1 ^ (*value & 1 ? ~std::uint64_t{0} : 0));
}

}  // namespace machida::window
