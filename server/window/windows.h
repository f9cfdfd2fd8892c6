// Which windows a step has.
#pragma once

#include <variant>

#include "server/window/session.h"
#include "server/window/sliding.h"

namespace machida::window {

using Windows = std::variant<SlidingWindows, SessionWindows>;

}  // namespace machida::window
