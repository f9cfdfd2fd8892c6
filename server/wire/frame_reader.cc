#include "server/wire/frame_reader.h"

namespace machida::wire {
namespace {
// A buffer that a large frame blew up is given back once it holds little.
constexpr std::size_t kKeptCapacityBytesMax = 256u << 10;
}  // namespace

void FrameReader::feed(std::string_view bytes) {
  if (rest_.empty()) {
    rest_ = bytes;
    rest_is_kept_ = false;
    return;
  }
  keep();
  kept_.append(bytes);
  rest_ = kept_;
}

Result<std::size_t> FrameReader::next(std::vector<std::string_view>& frames,
                                      std::size_t frames_max) {
  frames.clear();
  std::string_view rest = before_ = rest_;
  while (frames.size() < frames_max && rest.size() >= framing_.header_bytes) {
    Result<std::size_t> length = framing_.payload_bytes(rest.substr(0, framing_.header_bytes));
    if (!length) {
      if (!frames.empty()) break;  // the frames before it first
      return Error{length.error()};
    }
    if (rest.size() - framing_.header_bytes < *length) break;
    frames.push_back(rest.substr(framing_.header_bytes, *length));
    rest.remove_prefix(framing_.header_bytes + *length);
  }
  rest_ = rest;
  return frames.size();
}

void FrameReader::keep() {
  if (!rest_is_kept_) {
    kept_.assign(rest_);
  } else if (rest_.size() != kept_.size()) {
    kept_.erase(0, kept_.size() - rest_.size());
  }
  if (kept_.size() < kKeptCapacityBytesMax / 4 && kept_.capacity() > kKeptCapacityBytesMax)
    kept_.shrink_to_fit();
  rest_ = kept_;
  rest_is_kept_ = true;
}

}  // namespace machida::wire
