// The messages of one epoch, in the order they were written, as bytes that can be stored: a part of
// the checkpoint until the epoch's transaction is committed. Chunks are shared with the store,
// which writes them on another thread, so a chunk never changes once it was handed out.
//
// Layout of a message, little endian: u8 flags (1: has a key, 2: has a partition), i32 partition,
// u32 bytes of the key, u32 bytes of the value, key, value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/kafka/producer.h"

namespace machida::sink {

class Outbox {
 public:
  using Chunks = std::vector<std::shared_ptr<const std::string>>;

  Outbox() = default;
  // What a store gave back.
  explicit Outbox(Chunks chunks);

  void append(std::string_view value, std::optional<std::string_view> key,
              std::optional<std::int32_t> partition);

  std::uint64_t messages() const noexcept { return messages_; }  // appended, not those given back
  std::size_t bytes() const noexcept { return bytes_; }
  bool empty() const noexcept { return bytes_ == 0; }

  // All chunks; nothing is appended afterwards.
  Chunks chunks() const;

  // A place between two messages.
  struct Cursor {
    std::size_t chunk = 0, offset = 0;
    std::uint64_t message = 0;  // number of the message behind it
    bool operator==(const Cursor&) const = default;
  };
  // The message at the cursor, pointing into the outbox; nothing at the end. Moves the cursor on.
  std::optional<kafka::OutMessage> next(Cursor& cursor) const;

 private:
  std::vector<std::shared_ptr<std::string>> mine_;
  Chunks given_;
  std::uint64_t messages_ = 0;
  std::size_t bytes_ = 0;

  std::size_t chunk_count() const noexcept { return given_.size() + mine_.size(); }
  const std::string& chunk(std::size_t i) const {
    return i < given_.size() ? *given_[i] : *mine_[i - given_.size()];
  }
};

}  // namespace machida::sink
