#include "server/flow/window_metadata.h"

#include "embed/instants.h"
#include "server/flow/call.h"

namespace machida::flow {

PyObject* WindowMetadata::of(const embed::Gil& gil, const window::ClosedWindow& closed) {
  // Fibonacci hashing: windows lie at multiples of their length.
  const std::uint64_t mixed =
      static_cast<std::uint64_t>(closed.open_us ^ closed.close_us << 1) * 0x9E3779B97F4A7C15u;
  Entry& entry = made_[mixed >> 32 & (kEntries - 1)];
  if (!entry.metadata || entry.open_us != closed.open_us || entry.close_us != closed.close_us) {
    const embed::Object open = embed::make_utc_datetime(gil, closed.open_us);
    const embed::Object close = embed::make_utc_datetime(gil, closed.close_us);
    entry.metadata =
        embed::Object::steal(gil, call_two(gil, class_.get(), open.get(), close.get()));
    entry.open_us = closed.open_us;
    entry.close_us = closed.close_us;
  }
  return entry.metadata.get();
}

}  // namespace machida::flow
