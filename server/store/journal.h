// The journal as append-only segment files of one worker. A write survives the death of the process
// at once, and the death of the machine after sync(). Loop's thread, but sync().
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "server/store/directory.h"
#include "server/store/input_journal.h"

namespace machida::store {

class Journal final : public InputJournal {
 public:
  // Finds the segments there are; what a death left unfinished at the end is cut off (its frames
  // were not processed, or not durable), with a warning. Anything else that is damaged throws
  // StoreError. `bytes_max`: of all segments together; a single record may be larger.
  // Damage::kAcceptOlder: replay() leaves out records that are missing, with a warning.
  Journal(const Directory& directory, int worker, std::uint64_t bytes_max,
          Damage damage = Damage::kRefuse);
  ~Journal() override;
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  std::int64_t position() const noexcept override;
  std::uint64_t bytes() const noexcept;
  // False also when `bytes_max` is reached.
  bool append(std::uint32_t source, std::span<const std::string_view> frames) override;
  void sync() override;
  void begin_segment() override;
  void trim(std::int64_t position) override;
  void replay(std::int64_t position, const OnRecord& on_record) override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace machida::store
