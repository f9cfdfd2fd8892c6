// The head of a store: a file of two slots, written in turn after each commit, that says how far
// the store had got. SQLite takes a damaged end of its write-ahead log for one that ended earlier;
// with the head such a store is seen to be too old. A store that is ahead of its head is fine: the
// process may end between the two. When one slot is damaged, the other one may be the older: a
// store that is not ahead of that one may have lost an epoch. Files that are all as they once were,
// from a backup, look whole; sinks with transactions know that their outputs are newer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "server/store/digest.h"
#include "server/store/file.h"

namespace machida::store {

struct HeadMark {
  std::int64_t epoch = 0;
  Hash digest;  // of the epoch; all zeros before the first
  Hash store;   // which store it is the head of
};

struct HeadFacts {
  std::optional<HeadMark> mark;  // nothing: no file, or no slot of it verifies
  bool damaged = false;          // a slot does not verify
};
HeadFacts read_head(const std::string& path);

class Head {
 public:
  // Both slots become `mark`. Durable.
  Head(const std::string& path, const HeadMark& mark);
  // As the file is.
  explicit Head(const std::string& path);

  // Durable when it returns. A full device is no failure: the head stays behind.
  void write(const HeadMark& mark);

 private:
  File file_;
};

}  // namespace machida::store
