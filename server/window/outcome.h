// What an item, or the time that passed, means for the windows of its key. To be acted on in the
// order of the members. Callers keep one and reuse it, so that an item costs no allocation.
#pragma once

#include <cstddef>
#include <vector>

#include "server/window/open_window.h"

namespace machida::window {

// For the key's WindowMetadata: start and end, or the times of a session's first and last item
// (without the gap). Python's datetimes may not reach as far as these numbers.
struct ClosedWindow {
  WindowId id{};
  Micros open_us = 0;
  Micros close_us = 0;

  bool operator==(const ClosedWindow&) const = default;
};

// What `from` holds belongs behind what `into` holds; `from` is gone.
struct Merge {
  WindowId from{};
  WindowId into{};

  bool operator==(const Merge&) const = default;
};

enum class Placed {
  kInWindows,   // in at least one; others of its windows may have been closed already
  kLate,        // all its windows had closed
  kBetween,     // in none, since offset > length leaves gaps
  kOutOfRange,  // the timestamp is beyond +-kFarthest; nothing was done
};

struct Outcome {
  std::vector<ClosedWindow> closed;  // before the item came, in order
  std::vector<Merge> merges;         // before the item is folded, in order
  std::vector<WindowId> windows;     // that the item is folded into, in order of their start
  std::size_t late_windows = 0;      // that the item belonged to and that had closed

  void clear() {
    closed.clear();
    merges.clear();
    windows.clear();
    late_windows = 0;
  }
};

}  // namespace machida::window
