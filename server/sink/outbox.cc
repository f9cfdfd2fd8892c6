#include "server/sink/outbox.h"

#include <algorithm>
#include <cstring>

#include "server/base/check.h"

namespace machida::sink {
namespace {

constexpr std::size_t kChunkBytes = 1u << 20;
constexpr std::uint8_t kHasKey = 1, kHasPartition = 2;

struct [[gnu::packed]] Header {
  std::uint8_t flags;
  std::int32_t partition;
  std::uint32_t key_bytes, value_bytes;
};
static_assert(sizeof(Header) == 13);

}  // namespace

Outbox::Outbox(Chunks chunks) : given_(std::move(chunks)) {
  for (const auto& chunk : given_) bytes_ += chunk->size();
}

void Outbox::append(std::string_view value, std::optional<std::string_view> key,
                    std::optional<std::int32_t> partition) {
  const Header header{
      .flags = static_cast<std::uint8_t>((key ? kHasKey : 0) | (partition ? kHasPartition : 0)),
      .partition = partition.value_or(-1),
      .key_bytes = static_cast<std::uint32_t>(key ? key->size() : 0),
      .value_bytes = static_cast<std::uint32_t>(value.size())};
  const std::size_t bytes = sizeof header + header.key_bytes + header.value_bytes;
  if (mine_.empty() || mine_.back()->size() + bytes > mine_.back()->capacity()) {
    mine_.push_back(std::make_shared<std::string>());
    mine_.back()->reserve(std::max(bytes, messages_ == 0 ? kChunkBytes / 16 : kChunkBytes));
  }
  std::string& chunk = *mine_.back();
  chunk.append(reinterpret_cast<const char*>(&header), sizeof header);
  if (key) chunk.append(*key);
  chunk.append(value);
  ++messages_;
  bytes_ += bytes;
}

Outbox::Chunks Outbox::chunks() const {
  Chunks out = given_;
  out.insert(out.end(), mine_.begin(), mine_.end());
  return out;
}

std::optional<kafka::OutMessage> Outbox::next(Cursor& cursor) const {
  while (cursor.chunk < chunk_count() && cursor.offset == chunk(cursor.chunk).size()) {
    if (cursor.chunk + 1 == chunk_count()) return std::nullopt;  // more may be appended to it
    ++cursor.chunk;
    cursor.offset = 0;
  }
  if (cursor.chunk >= chunk_count()) return std::nullopt;
  const std::string_view rest = std::string_view(chunk(cursor.chunk)).substr(cursor.offset);
  Header header;
  MACHIDA_CHECK(rest.size() >= sizeof header, "an outbox ends inside a message");
  std::memcpy(&header, rest.data(), sizeof header);
  const std::size_t bytes = sizeof header + header.key_bytes + header.value_bytes;
  MACHIDA_CHECK(rest.size() >= bytes, "an outbox ends inside a message");
  kafka::OutMessage message;
  if (header.flags & kHasKey) message.key = rest.substr(sizeof header, header.key_bytes);
  if (header.flags & kHasPartition) message.partition = std::int32_t{header.partition};
  message.value = rest.substr(sizeof header + header.key_bytes, header.value_bytes);
  cursor.offset += bytes;
  ++cursor.message;
  return message;
}

}  // namespace machida::sink
