// What workers of one application, and the process that supervises them, say to each other over a
// link, as bytes: a length, a type, fields, all integers little-endian. Both ends are the same
// program on the same machine. Bytes only, no sockets.
//
//   worker ↔ worker        Hello, Batch, Barrier, Pause, Resume
//   worker ↔ coordinator   Ready → Ready; EndEpoch (wanted) → EndEpoch → Stored → Commit →
//   Committed
//                          → Close; Drained → Drain, Drained. The answer comes when all have asked.
//   supervisor ↔ worker    Hello, Ready, Committed, Drain → Drained, Failed
//   process ↔ process      those of workers, and of a dataflow: Partition, Listed, KeptState,
//                          Restored, Ended, Drain, Failed
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/base/result.h"
#include "server/wire/frame_reader.h"

namespace machida::wire {

// Texts and bytes of a message that was read point into the reader's memory.

// The first message in each direction; never again after that.
struct Hello {
  static constexpr std::uint32_t kSupervisor = 0xffffffff;  // as an index: no worker
  std::string_view application;
  std::uint32_t workers = 0;
  std::uint32_t index = 0;  // of who says it
  bool operator==(const Hello&) const = default;
};

// Records for step `step` of pipeline `pipeline`: a pickled list of `count`, at least 1.
struct Batch {
  std::uint32_t pipeline = 0;
  std::uint32_t step = 0;
  std::uint32_t count = 0;
  std::string_view records;
  bool operator==(const Batch&) const = default;
};

// All batches of `epoch` for the steps of `stage` were sent on this link.
struct Barrier {
  std::uint64_t epoch = 0;
  std::uint32_t stage = 0;
  bool operator==(const Barrier&) const = default;
};

struct EndEpoch {
  std::uint64_t epoch = 0;
  bool operator==(const EndEpoch&) const = default;
};
struct Stored {
  std::uint64_t epoch = 0;
  bool operator==(const Stored&) const = default;
};
struct Commit {
  std::uint64_t epoch = 0;
  bool operator==(const Commit&) const = default;
};
struct Committed {
  std::uint64_t epoch = 0;
  bool operator==(const Committed&) const = default;
};
struct Close {
  std::uint64_t epoch = 0;
  bool operator==(const Close&) const = default;
};

// From the supervisor: stop gracefully. From a worker: it was asked to, so all should. From the
// coordinator: the sources of all workers have ended, the epoch that ends next is the last.
struct Drain {
  bool operator==(const Drain&) const = default;
};
struct Drained {
  bool operator==(const Drained&) const = default;
};
// From a worker: its sinks are connected, or, to the supervisor, its sources are open. From the
// coordinator: those of all are.
struct Ready {
  bool operator==(const Ready&) const = default;
};
// The sender's sinks are full: no more input anywhere until it resumes.
struct Pause {
  bool operator==(const Pause&) const = default;
};
struct Resume {
  bool operator==(const Resume&) const = default;
};
// What made the sender give up.
struct Failed {
  std::string_view text;
  bool operator==(const Failed&) const = default;
};

// A key's state in a step of a dataflow. From the process that has the recovery partitions: it was
// stored. To that process: it changed in the epoch whose Stored comes next.
struct KeptState {
  std::string_view step;
  std::uint32_t key_kind = 0;  // a store::KeyKind
  std::string_view key;
  std::uint32_t is_kept = 0;  // 0: the key has no state any more
  std::string_view value;
  bool operator==(const KeptState&) const = default;
};
// A partition of a source or sink, by number: sources come first. To process 0: the sender sees it,
// `worker` is 0. From process 0: that worker has it; those of one source or sink sorted by name.
struct Partition {
  std::uint32_t of = 0;
  std::uint32_t worker = 0;
  std::string_view name;
  bool operator==(const Partition&) const = default;
};
// Those were all partitions that the sender sees.
struct Listed {
  bool operator==(const Listed&) const = default;
};
// That was all that is there and was stored; it is the state at the end of this epoch.
struct Restored {
  std::uint64_t epoch = 0;
  bool operator==(const Restored&) const = default;
};
// Behind everything that the sender gives to the steps of a stream (an input's number) up to its
// exchange number `stage`: no more will come through it.
struct Ended {
  std::uint32_t stream = 0;
  std::uint32_t stage = 0;
  bool operator==(const Ended&) const = default;
};

// The place in this list is the type on the wire.
using LinkMessage =
    std::variant<Hello, Batch, Barrier, EndEpoch, Stored, Commit, Committed, Close, Drain, Drained,
                 Failed, Ready, Pause, Resume, KeptState, Restored, Ended, Partition, Listed>;

// Of one message without its length. No four printable characters are such a length.
constexpr std::size_t kLinkMessageBytesMax = 512u << 20;

// Writes `message` behind `to`. One over the limit or an empty batch is an error of the caller.
void append_link_message(std::string& to, const LinkMessage& message);

// Turns the reads of one link into messages, as FrameReader does for frames:
//
//   reader.feed(bytes);
//   while (*reader.next(messages) > 0) …   // messages point into the read or into the reader
//   reader.keep();                         // before the read's memory goes away
//
// Memory: never more than what was fed and not yet taken, so at most one message and one read.
class LinkReader {
 public:
  explicit LinkReader(std::size_t message_bytes_max = kLinkMessageBytesMax);
  LinkReader(const LinkReader&) = delete;
  LinkReader& operator=(const LinkReader&) = delete;

  void feed(std::string_view bytes) { frames_.feed(bytes); }

  // Replaces `messages` by all that are whole and returns how many; valid until the next feed() or
  // keep(). An error is final and says what made no sense; messages before it were returned first.
  Result<std::size_t> next(std::vector<LinkMessage>& messages);

  void keep() { frames_.keep(); }

 private:
  static constexpr std::size_t kFramesMax = 1024;  // of one next()
  Result<LinkMessage> read(std::string_view frame);

  Framing framing_;
  FrameReader frames_;
  std::vector<std::string_view> cut_;
  bool greeted_ = false;
  std::optional<std::string> failure_;
};

}  // namespace machida::wire
