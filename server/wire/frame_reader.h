// Turns one connection's reads into frames. Owned by the connection, used on its thread.
//
//   reader.feed(bytes);                       // a read
//   while (*reader.next(frames, max) > 0) …   // frames point into the read or into the reader
//   reader.keep();                            // before the read's memory goes away
//
// What is not yet a whole frame, or was not asked for, is kept. Memory: never more than what was
// fed and not yet taken; a header's announced length allocates nothing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.h"
#include "server/wire/framing.h"

namespace machida::wire {

class FrameReader {
 public:
  explicit FrameReader(const Framing& framing) : framing_(framing) {}

  // Adds a read. `bytes` must stay valid until keep().
  void feed(std::string_view bytes);

  // Replaces `frames` by the next payloads, at most `frames_max`, and returns how many. They are
  // valid until the next feed() or keep(). An error is final: the stream can't be understood from
  // there on; frames before it have been returned by earlier calls.
  Result<std::size_t> next(std::vector<std::string_view>& frames, std::size_t frames_max);

  // Takes back what the last next() returned: it will return it again.
  void put_back() noexcept { rest_ = before_; }

  // Copies what is left, so that the memory given to feed() may go.
  void keep();

  // What was fed and not yet returned as frames: empty between two frames.
  std::string_view rest() const noexcept { return rest_; }

 private:
  const Framing& framing_;
  std::string kept_;         // owned bytes; rest_ is its tail unless it points into a read
  std::string_view rest_;    // not yet cut
  std::string_view before_;  // rest_ before the last next()
  bool rest_is_kept_ = true;
};

}  // namespace machida::wire
