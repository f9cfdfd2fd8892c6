#include "server/window/windower.h"

#include <algorithm>

namespace machida::window {

Micros Windower::settles_us(const OpenWindow& window) const {
  return std::visit([&window](const auto& windows) { return windows.settles_us(window); },
                    windows_);
}

// Open windows are sorted, and the earlier one settles first, so what closes is at the front.
void Windower::close_settled(WindowerState& state, std::vector<ClosedWindow>& closed) const {
  auto window = state.open.begin();
  for (; window != state.open.end() && settles_us(*window) <= state.watermark.value_us; ++window)
    closed.push_back({window->id, window->first_us, window->last_us});
  if (window != state.open.begin()) state.open.erase(state.open.begin(), window);
}

Placed Windower::on_item(WindowerState& state, Micros item_us, Micros now_us, Outcome& out) const {
  out.clear();
  if (!clock_.gives_item_times() && !in_range(item_us)) return Placed::kOutOfRange;
  now_us = clamped(now_us);
  // First what time alone has closed, whether or not the caller was woken for it in time.
  on_notify(state, now_us, out.closed);
  item_us = clock_.see(state.watermark, item_us, now_us);
  close_settled(state, out.closed);

  if (const auto* sliding = std::get_if<SlidingWindows>(&windows_))
    return sliding->place(state.open, item_us, state.watermark.value_us, out);

  const bool in_order = item_us >= state.newest_us;
  if (item_us < state.watermark.value_us && !in_order) {
    out.late_windows = 1;
    return Placed::kLate;
  }
  state.newest_us = std::max(state.newest_us, item_us);
  std::get<SessionWindows>(windows_).place(state.open, item_us, state.next_id, out);
  return Placed::kInWindows;
}

void Windower::on_notify(WindowerState& state, Micros now_us,
                         std::vector<ClosedWindow>& closed) const {
  clock_.advance(state.watermark, clamped(now_us));
  close_settled(state, closed);
  if (may_forget(state)) {
    state.watermark = {};
    state.newest_us = kBeginning;
    state.next_id = 0;
  }
}

void Windower::on_eof(WindowerState& state, std::vector<ClosedWindow>& closed) const {
  for (const OpenWindow& window : state.open)
    closed.push_back({window.id, window.first_us, window.last_us});
  state.open.clear();
}

Micros Windower::next_due(const WindowerState& state) const {
  if (state.open.empty()) return kNever;
  return clock_.reaches(state.watermark, settles_us(state.open.front()));
}

}  // namespace machida::window
