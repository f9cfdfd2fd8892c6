#include "server/sink/send_queue.h"

#include <algorithm>

#include "server/base/check.h"

namespace machida::sink {

void SendQueue::accept(std::string_view output) {
  if (output.empty()) return;
  const bool fits = !chunks_.empty() &&
                    chunks_.back().bytes.capacity() - chunks_.back().bytes.size() >= output.size();
  if (!fits) {
    Chunk& made = chunks_.emplace_back();
    made.start = accepted_;
    made.bytes.reserve(std::max(kChunkBytes, output.size()));
  }
  Chunk& last = chunks_.back();
  last.bytes.insert(last.bytes.end(), output.begin(), output.end());
  last.ends.push_back(last.bytes.size());
  accepted_ += output.size();
}

std::size_t SendQueue::unsent(std::vector<std::string_view>& buffers, std::size_t bytes_max) const {
  buffers.clear();
  std::size_t total = 0;
  for (const Chunk& chunk : chunks_) {
    const std::uint64_t end = chunk.start + chunk.bytes.size();
    if (end <= sent_) continue;
    if (total >= bytes_max) break;
    const std::size_t skip =
        sent_ > chunk.start ? static_cast<std::size_t>(sent_ - chunk.start) : 0;
    buffers.emplace_back(chunk.bytes.data() + skip, chunk.bytes.size() - skip);
    total += buffers.back().size();
  }
  return total;
}

void SendQueue::sent(std::size_t bytes) {
  sent_ += bytes;
  MACHIDA_CHECK(sent_ <= accepted_, "sent more than was accepted");
}

void SendQueue::acknowledged_except(std::size_t outstanding) {
  if (sent_ < outstanding) return;
  acknowledged_ = std::max(acknowledged_, sent_ - outstanding);
  drop_acknowledged();
}

void SendQueue::drop_acknowledged() {
  while (!chunks_.empty()) {
    Chunk& first = chunks_.front();
    if (first.start + first.bytes.size() > acknowledged_) return;
    if (chunks_.size() > 1) {
      chunks_.pop_front();
      continue;
    }
    first.start = accepted_;  // the last one is used again
    first.bytes.clear();
    first.ends.clear();
    return;
  }
}

void SendQueue::rewind() {
  sent_ = acknowledged_;
  for (const Chunk& chunk : chunks_) {
    if (chunk.start + chunk.bytes.size() <= acknowledged_) continue;
    if (chunk.start >= acknowledged_) return;
    const auto done = static_cast<std::size_t>(acknowledged_ - chunk.start);
    const auto after = std::upper_bound(chunk.ends.begin(), chunk.ends.end(), done);
    sent_ = chunk.start + (after == chunk.ends.begin() ? 0 : *(after - 1));
    acknowledged_ = sent_;
    return;
  }
}

}  // namespace machida::sink
