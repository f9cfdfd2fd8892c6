// A window of one key that takes items.
#pragma once

#include <cstdint>

#include "server/window/instant.h"

namespace machida::window {

// Unique among the open windows of one key. A sliding or tumbling window's is its index, 0 for the
// one that starts at `align_to`; sessions count from 0. After a window has closed its id may come
// again.
enum class WindowId : std::int64_t {};

struct OpenWindow {
  WindowId id{};
  Micros first_us = 0;  // start; of a session, its earliest item
  Micros last_us = 0;   // end, exclusive; of a session, its latest item

  bool operator==(const OpenWindow&) const = default;
};

}  // namespace machida::window
