#include "server/wire/length_format.h"

#include <bit>
#include <limits>
#include <optional>
#include <string>

namespace machida::wire {
namespace {

struct Code {
  std::size_t width;
  bool is_signed = false;
  bool is_integer = true;
  bool is_text = false;  // its count is a length, not a number of fields
};

// Widths are the native ones (LP64) or the standard ones of struct's byte order prefixes.
std::optional<Code> code_of(char code, bool native) {
  switch (code) {
    case 'c':
      return Code{.width = 1, .is_integer = false};
    case 's':
    case 'p':
      return Code{.width = 1, .is_integer = false, .is_text = true};
    case 'e':
      return Code{.width = 2, .is_integer = false};
    case 'f':
      return Code{.width = 4, .is_integer = false};
    case 'd':
      return Code{.width = 8, .is_integer = false};
    case 'b':
      return Code{1, true};
    case 'B':
    case '?':
      return Code{1, false};
    case 'h':
      return Code{2, true};
    case 'H':
      return Code{2, false};
    case 'i':
      return Code{4, true};
    case 'I':
      return Code{4, false};
    case 'l':
      return Code{native ? sizeof(long) : 4, true};
    case 'L':
      return Code{native ? sizeof(long) : 4, false};
    case 'q':
      return Code{8, true};
    case 'Q':
      return Code{8, false};
    case 'n':
      if (native) return Code{sizeof(std::ptrdiff_t), true};
      return std::nullopt;
    case 'N':
    case 'P':
      if (native) return Code{sizeof(std::size_t), false};
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

constexpr std::string_view kOrders = "@=<>!";
constexpr std::string_view kSpaces = " \t\n\r\f\v";

}  // namespace

Result<LengthFormat> LengthFormat::parse(std::string_view format, std::size_t header_bytes) {
  const auto refused = [format](const std::string& why) {
    return Error{"length format '" + std::string(format) + "' " + why};
  };
  if (header_bytes < 1 || header_bytes > kHeaderBytesMax)
    return Error{"header_length is " + std::to_string(header_bytes) + ", it must be 1 to 8 bytes"};
  LengthFormat made;
  made.header_bytes_ = header_bytes;
  std::string_view rest = format;
  char order = '@';
  if (!rest.empty() && kOrders.find(rest[0]) != std::string_view::npos) {
    order = rest[0];
    rest.remove_prefix(1);
  }
  const bool native = order == '@';
  made.big_endian_ = order == '>' || order == '!' ||
                     ((order == '@' || order == '=') && std::endian::native == std::endian::big);
  std::size_t offset = 0;
  while (!rest.empty()) {
    if (kSpaces.find(rest[0]) != std::string_view::npos) {
      rest.remove_prefix(1);
      continue;
    }
    std::optional<std::size_t> count;
    while (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') {
      count = count.value_or(0) * 10 + static_cast<std::size_t>(rest[0] - '0');
      if (*count > kHeaderBytesMax) return refused("repeats a field too often");
      rest.remove_prefix(1);
    }
    if (rest.empty()) return refused("ends after a repeat count");
    const char code = rest[0];
    rest.remove_prefix(1);
    if (code == 'x') {
      offset += count.value_or(1);
      continue;
    }
    const std::optional<Code> found = code_of(code, native);
    if (!found) return refused("has an unknown field '" + std::string(1, code) + "'");
    if (native) offset = (offset + found->width - 1) / found->width * found->width;
    if (made.width_ == 0 && (found->is_text || count.value_or(1) > 0)) {
      if (!found->is_integer)
        return refused("has a first field '" + std::string(1, code) + "' that is no integer");
      made.offset_ = offset;
      made.width_ = found->width;
      made.is_signed_ = found->is_signed;
    }
    offset += count.value_or(1) * found->width;
  }
  if (made.width_ == 0) return refused("has no field");
  if (offset != header_bytes)
    return refused("describes " + std::to_string(offset) + " bytes, but header_length is " +
                   std::to_string(header_bytes));
  return made;
}

std::int64_t LengthFormat::read(const char* header) const noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width_; ++i) {
    const std::size_t at = big_endian_ ? i : width_ - 1 - i;
    value = value << 8 | static_cast<unsigned char>(header[offset_ + at]);
  }
  if (is_signed_) {
    const unsigned shift = static_cast<unsigned>(64 - 8 * width_);
    return static_cast<std::int64_t>(value << shift) >> shift;
  }
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(value < kMax ? value : kMax);
}

}  // namespace machida::wire
