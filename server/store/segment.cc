#include "server/store/segment.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/store/digest.h"

namespace machida::store {
namespace {

constexpr std::uint64_t kSegmentMagic = 0x6c61'6e72'756f'6a01;
constexpr std::uint64_t kRecordMagic = 0x9d1f'5be2'6372'd0a7;
constexpr std::uint64_t kWindowBytes = 256 << 10;

struct SegmentBytes {
  std::uint64_t magic = kSegmentMagic;
  SegmentHeader header;
  std::uint64_t checksum = 0;
};
static_assert(sizeof(SegmentBytes) == 40);

struct RecordBytes {
  std::uint64_t checksum = 0;  // of the rest and the body
  std::uint64_t magic = kRecordMagic;
  std::int64_t number = 0;
  std::int64_t durable = 0;
  std::uint32_t source = 0;
  std::uint32_t frames = 0;
  std::uint64_t body_bytes = 0;
};
static_assert(sizeof(RecordBytes) == 48);

template <class T>
T read_as(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::uint64_t checksum_of(const SegmentBytes& bytes) {
  return checksum({reinterpret_cast<const char*>(&bytes), offsetof(SegmentBytes, checksum)}, 0);
}

// False: the lengths do not add up to the body.
bool split(std::string_view body, std::uint32_t count, std::vector<std::string_view>& frames) {
  frames.clear();
  for (; count > 0; --count) {
    if (body.size() < sizeof(std::uint32_t)) return false;
    const auto length = read_as<std::uint32_t>(body);
    body.remove_prefix(sizeof length);
    if (body.size() < length) return false;
    frames.push_back(body.substr(0, length));
    body.remove_prefix(length);
  }
  return body.empty();
}

}  // namespace

std::string bytes_of(const SegmentHeader& header) {
  SegmentBytes bytes;
  bytes.header = header;
  bytes.checksum = checksum_of(bytes);
  return {reinterpret_cast<const char*>(&bytes), sizeof bytes};
}

void append_record(std::string& to, std::uint64_t seed, const RecordFacts& facts,
                   std::span<const std::string_view> frames) {
  RecordBytes head;
  head.number = facts.number;
  head.durable = facts.durable;
  head.source = facts.source;
  head.frames = static_cast<std::uint32_t>(frames.size());
  for (const std::string_view frame : frames)
    head.body_bytes += sizeof(std::uint32_t) + frame.size();
  const std::size_t begin = to.size();
  to.reserve(begin + sizeof head + head.body_bytes);
  to.append(reinterpret_cast<const char*>(&head), sizeof head);
  for (const std::string_view frame : frames) {
    const auto length = static_cast<std::uint32_t>(frame.size());
    to.append(reinterpret_cast<const char*>(&length), sizeof length);
    to.append(frame);
  }
  head.checksum = checksum(std::string_view(to).substr(begin + sizeof head.checksum), seed);
  std::memcpy(to.data() + begin, &head.checksum, sizeof head.checksum);
}

SegmentReader::SegmentReader(const std::string& path)
    : file_(path, File::Mode::kRead), size_(file_.size()) {
  const std::string_view bytes = at(0, sizeof(SegmentBytes));
  if (bytes.empty()) return;
  const auto found = read_as<SegmentBytes>(bytes);
  if (found.magic != kSegmentMagic || found.checksum != checksum_of(found)) return;
  header_ = found.header;
  offset_ = sizeof(SegmentBytes);
}

// Empty: the file is shorter.
std::string_view SegmentReader::at(std::uint64_t offset, std::uint64_t bytes) {
  if (offset > size_ || bytes > size_ - offset) return {};
  if (offset < window_begin_ || offset + bytes > window_begin_ + window_.size()) {
    window_.resize(std::min(std::max(bytes, kWindowBytes), size_ - offset));
    window_begin_ = offset;
    window_.resize(file_.read(offset, window_.data(), window_.size()));
    if (window_.size() < bytes) return {};
  }
  return std::string_view(window_).substr(offset - window_begin_, bytes);
}

bool SegmentReader::next() {
  if (!header_) return false;
  const std::string_view head_bytes = at(offset_, sizeof(RecordBytes));
  if (head_bytes.empty()) return false;
  const auto head = read_as<RecordBytes>(head_bytes);
  if (head.magic != kRecordMagic || head.body_bytes > size_) return false;
  const std::string_view all = at(offset_, sizeof head + head.body_bytes);
  if (all.empty() || head.checksum != checksum(all.substr(sizeof head.checksum), header_->seed) ||
      !split(all.substr(sizeof head), head.frames, frames_))
    return false;
  facts_ = {head.number, head.durable, head.source};
  offset_ += all.size();
  return true;
}

bool SegmentReader::skip_to_record() {
  if (!header_) return false;
  const std::string magic(reinterpret_cast<const char*>(&kRecordMagic), sizeof kRecordMagic);
  std::uint64_t from = offset_ + 1;
  while (from + sizeof(RecordBytes) <= size_) {
    const std::string_view some = at(from, std::min(kWindowBytes, size_ - from));
    if (some.empty()) return false;
    const std::size_t found = some.find(magic);
    if (found == std::string_view::npos) {
      from += some.size() - std::min<std::size_t>(some.size() - 1, magic.size() - 1);
      continue;
    }
    const std::uint64_t magic_at = from + found;
    from = magic_at + 1;
    if (magic_at < offset_ + 1 + offsetof(RecordBytes, magic)) continue;
    const std::uint64_t before = std::exchange(offset_, magic_at - offsetof(RecordBytes, magic));
    const std::uint64_t candidate = offset_;
    if (next()) {
      offset_ = candidate;
      return true;
    }
    offset_ = before;
  }
  return false;
}

}  // namespace machida::store
