// How one source's bytes are cut into frames: a header of fixed size that tells the payload's
// length, then the payload. Bytes only; knows no socket and no Python.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/result.h"
#include "server/wire/length_format.h"

namespace machida::wire {

// For headers that only the application can read: gets the header's bytes, returns the payload's
// length in bytes.
using LengthFunction = std::function<Result<std::int64_t>(std::string_view header)>;

struct Framing {
  std::size_t header_bytes = 4;
  std::size_t frame_bytes_max = 16u << 20;    // payload; a larger one is an error
  std::optional<LengthFormat> length_format;  // when set, `length_function` is not asked
  LengthFunction length_function;

  // The payload length that `header` announces, checked against the limits.
  Result<std::size_t> payload_bytes(std::string_view header) const;
};

}  // namespace machida::wire
