// Frames that were read from sources without a memory of their own (TCP), written down before they
// are processed and replayed after a crash. Append-only segment files of one worker; a record is
// the frames of one batch. A write survives the death of the process at once, and the death of the
// machine after sync(). Loop's thread, but sync().
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/directory.h"

namespace machida::store {

class Journal {
 public:
  // Finds the segments there are; what a death left unfinished at the end is cut off (its frames
  // were not processed, or not durable), with a warning. Anything else that is damaged throws
  // StoreError. `bytes_max`: of all segments together; a single record may be larger.
  Journal(const Directory& directory, int worker, std::uint64_t bytes_max);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // The number of the next record; counts on over restarts.
  std::int64_t position() const noexcept;
  std::uint64_t bytes() const noexcept;

  // Writes one record. False: there is no room, by `bytes_max` or on the device; nothing was
  // written, try again after trim(). Throws StoreError when the device fails.
  bool append(std::uint32_t source, std::span<const std::string_view> frames);

  // Off the loop, one at a time: what was appended before is durable when it returns. To be called
  // before position() becomes part of an epoch. Throws StoreError (fatal).
  void sync();

  // Later records go to a new segment. At an epoch's end, so that trim() can drop whole files.
  void begin_segment();
  // Records before `position` are not needed any more: segments that hold only such ones go.
  void trim(std::int64_t position);

  // All records from `position` on, in order. Before the first append. If the journal ends before
  // `position`, because the machine died before sync(), records are counted on from there. Throws
  // StoreError when records from `position` on are missing.
  using OnRecord =
      std::function<void(std::uint32_t source, const std::vector<std::string_view>& frames)>;
  void replay(std::int64_t position, const OnRecord& on_record);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace machida::store
