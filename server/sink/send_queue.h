// What a sink has accepted and its peer has not acknowledged yet, so that a new connection goes on
// exactly at the first output that the old one may not have delivered. Bytes only, no sockets.
//
//   acknowledged ≤ sent ≤ accepted: positions in the sink's output, counted from its start
//
// Memory: chunks of 64 KiB (larger for larger outputs) from the acknowledged position on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

namespace machida::sink {

class SendQueue {
 public:
  // Adds one output behind the others.
  void accept(std::string_view output);

  // Replaces `buffers` by what comes after the sent position, up to about `bytes_max`, and returns
  // the number of bytes. The memory stays where it is until it is acknowledged.
  std::size_t unsent(std::vector<std::string_view>& buffers, std::size_t bytes_max) const;

  // So many bytes more were handed to the system.
  void sent(std::size_t bytes);

  // All sent bytes but the last `outstanding` have reached the peer. Frees them.
  void acknowledged_except(std::size_t outstanding);

  // Back to the start of the first output that is not acknowledged as a whole.
  void rewind();

  std::uint64_t accepted() const noexcept { return accepted_; }
  std::uint64_t acknowledged() const noexcept { return acknowledged_; }
  std::size_t unsent_bytes() const noexcept { return accepted_ - sent_; }
  std::size_t unacknowledged_bytes() const noexcept { return accepted_ - acknowledged_; }

 private:
  static constexpr std::size_t kChunkBytes = 64u << 10;

  struct Chunk {
    std::uint64_t start;            // position of its first byte
    std::vector<char> bytes;        // never grows beyond its first capacity
    std::vector<std::size_t> ends;  // of each output, relative to start
  };
  void drop_acknowledged();

  std::deque<Chunk> chunks_;
  std::uint64_t accepted_ = 0, sent_ = 0, acknowledged_ = 0;
};

}  // namespace machida::sink
