// Frames that were read from sources without a memory of their own (TCP), written down before they
// are processed and replayed after a crash: store::Journal in the server, memory that fails on
// purpose in a simulation. Loop's thread, but sync().
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "server/store/store_error.h"

namespace machida::store {

class InputJournal {
 public:
  virtual ~InputJournal() = default;

  // The number of the next record; counts on over restarts.
  virtual std::int64_t position() const noexcept = 0;

  // Writes one record: the frames of a batch. False: there is no room; nothing was written, try
  // again after trim(). Throws StoreError when the device fails.
  virtual bool append(std::uint32_t source, std::span<const std::string_view> frames) = 0;

  // Off the loop, one at a time: what was appended before is durable when it returns. To be called
  // before position() becomes part of an epoch. Throws StoreError (fatal).
  virtual void sync() = 0;

  // Later records go to a new segment. At an epoch's end, so that trim() can drop whole files.
  virtual void begin_segment() = 0;
  // Records before `position` are not needed any more: segments that hold only such ones go.
  virtual void trim(std::int64_t position) = 0;

  // All records from `position` on, in order. Before the first append. If the journal ends before
  // `position`, because the machine died before sync(), records are counted on from there. Throws
  // StoreError when records from `position` on are missing, unless damage is accepted.
  using OnRecord =
      std::function<void(std::uint32_t source, const std::vector<std::string_view>& frames)>;
  virtual void replay(std::int64_t position, const OnRecord& on_record) = 0;
};

}  // namespace machida::store
