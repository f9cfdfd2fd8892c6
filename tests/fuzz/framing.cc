// Any bytes in any reads: the frames are those that a plain loop over the whole stream finds, and
// nothing outside the stream is read.
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "server/wire/frame_reader.h"

namespace {

using machida::wire::FrameReader;
using machida::wire::Framing;
using machida::wire::LengthFormat;

struct Shape {
  const char* format;
  std::size_t header_bytes;
};
constexpr Shape kShapes[] = {{"B", 1},   {"b", 1},  {">H", 2}, {"<h", 2},
                             {">xB", 2}, {">I", 4}, {"<Q", 8}};

struct Cut {
  std::vector<std::string> frames;
  bool bad = false;
};

Cut cut_plainly(const Framing& framing, std::string_view stream) {
  Cut cut;
  while (stream.size() >= framing.header_bytes) {
    const std::int64_t length = framing.length_format->read(stream.data());
    if (length < 0 || length > static_cast<std::int64_t>(framing.frame_bytes_max)) {
      cut.bad = true;
      break;
    }
    const auto whole = framing.header_bytes + static_cast<std::size_t>(length);
    if (stream.size() < whole) break;
    cut.frames.emplace_back(stream.substr(framing.header_bytes, whole - framing.header_bytes));
    stream.remove_prefix(whole);
  }
  return cut;
}

Cut cut_in_reads(const Framing& framing, std::string_view stream, std::size_t read_bytes,
                 std::size_t frames_max) {
  Cut cut;
  FrameReader reader(framing);
  std::vector<std::string_view> frames;
  while (!stream.empty() && !cut.bad) {
    const std::string read(stream.substr(0, read_bytes));  // a copy: overruns are visible
    stream.remove_prefix(read.size());
    reader.feed(read);
    while (true) {
      const auto count = reader.next(frames, frames_max);
      if (!count) cut.bad = true;
      if (!count || *count == 0) break;
      cut.frames.insert(cut.frames.end(), frames.begin(), frames.end());
    }
    reader.keep();
  }
  return cut;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const Shape& shape = kShapes[data[0] % std::size(kShapes)];
  Framing framing;
  framing.header_bytes = shape.header_bytes;
  framing.frame_bytes_max = 300;
  framing.length_format = *LengthFormat::parse(shape.format, shape.header_bytes);
  const std::string_view stream(reinterpret_cast<const char*>(data) + 3, size - 3);
  const Cut wanted = cut_plainly(framing, stream);
  const Cut got = cut_in_reads(framing, stream, 1 + data[1], 1 + data[2] % 8);
  if (wanted.frames != got.frames || wanted.bad != got.bad) std::abort();
  const auto fuzzed = LengthFormat::parse(stream.substr(0, 12), 1 + data[0] % 8);
  if (fuzzed && fuzzed->header_bytes() != 1u + data[0] % 8) std::abort();
  return 0;
}
