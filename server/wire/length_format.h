// The length field of a frame's header: the first field of a `struct` format, compiled to an
// offset, a width and a byte order. Source of the grammar: Python's library reference, module
// struct.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/base/result.h"

namespace machida::wire {

class LengthFormat {
 public:
  static constexpr std::size_t kHeaderBytesMax = 8;

  // `format` describes `header_bytes` bytes (1 to 8), and its first field is an integer
  // (bBhHiIlLqQnNP?); what other fields hold is passed over. Anything else is an error that says
  // why.
  static Result<LengthFormat> parse(std::string_view format, std::size_t header_bytes);

  // The integer in `header`, which has header_bytes() bytes. Values over 2^63-1 saturate.
  std::int64_t read(const char* header) const noexcept;

  std::size_t header_bytes() const noexcept { return header_bytes_; }

 private:
  std::size_t header_bytes_ = 0;
  std::size_t offset_ = 0;
  std::size_t width_ = 0;
  bool big_endian_ = false;
  bool is_signed_ = false;
};

}  // namespace machida::wire
