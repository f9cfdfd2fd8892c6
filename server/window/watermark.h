// How far a key's time has got: windows that end before it are closed. One per key: keys do not
// wait for each other and do not make each other's items late.
#pragma once

#include "server/window/instant.h"

namespace machida::window {

struct Watermark {
  Micros value_us = kBeginning;  // kBeginning: no item seen yet; it only grows
  Micros seen_us = 0;            // system time when it was `value_us`; unused by the system clock

  bool operator==(const Watermark&) const = default;
};

}  // namespace machida::window
