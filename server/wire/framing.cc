#include "server/wire/framing.h"

namespace machida::wire {

Result<std::size_t> Framing::payload_bytes(std::string_view header) const {
  std::int64_t length = 0;
  if (length_format) {
    length = length_format->read(header.data());
  } else {
    Result<std::int64_t> told = length_function(header);
    if (!told) return Error{told.error()};
    length = *told;
  }
  if (length < 0) return Error{"negative frame length " + std::to_string(length)};
  if (static_cast<std::uint64_t>(length) > frame_bytes_max)
    return Error{"frame of " + std::to_string(length) + " bytes is over the limit of " +
                 std::to_string(frame_bytes_max) + " (--max-frame-bytes)"};
  return static_cast<std::size_t>(length);
}

}  // namespace machida::wire
