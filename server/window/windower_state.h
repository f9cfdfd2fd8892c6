// What is kept per key: its watermark and its open windows. A plain value, 56 bytes and 24 per open
// window; made, changed and read by a Windower, owned by whoever owns the key's accumulators.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.h"
#include "server/window/open_window.h"
#include "server/window/watermark.h"
#include "server/window/windows.h"

namespace machida::window {

struct WindowerState {
  Watermark watermark;
  std::vector<OpenWindow> open;   // in the order in which they close
  Micros newest_us = kBeginning;  // sessions: the latest item
  std::int64_t next_id = 0;       // sessions

  bool operator==(const WindowerState&) const = default;
};

// As bytes for a snapshot, a dozen or two for a key with one window; the first byte is the
// version. See windower_state.cc for the format.
std::string to_bytes(const WindowerState&, const Windows&);

// Error: bytes that `to_bytes` does not make, of another version, of the other kind of windows, or
// with open windows of another length, offset or alignment. A session's gap may have changed.
Result<WindowerState> from_bytes(std::string_view bytes, const Windows&);

}  // namespace machida::window
