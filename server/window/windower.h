// Decides, for one step with windows, what each item and the passing of time mean for the windows
// of a key. It knows a clock and windows, and nothing of values: the step that owns it folds,
// merges and emits. One per step, without state of its own; the state of each key is the caller's.
// All functions depend on their arguments only, so a replay gives the same windows.
//
// Times are microseconds since 1970 UTC; `now_us` is system time. A clock that goes back is
// tolerated (see Clock).
//
// How a step uses it:
//   on_item -> emit what closed, merge, fold; then wake up at next_due(state).
//   At that time on_notify -> emit what closed; again next_due. At the end of input, on_eof.
#pragma once

#include <vector>

#include "server/window/clock.h"
#include "server/window/outcome.h"
#include "server/window/windower_state.h"
#include "server/window/windows.h"

namespace machida::window {

// What happens to the watermark of a key that has no open window.
enum class IdleKeys {
  // It stays, as specified: the watermark is that of all items "seen thus far", and a state is
  // "permanently allocated per-key".
  kKeep,
  // It is dropped, as the original in fact did: memory is needed only for keys with open windows,
  // and an item for a window that has closed opens it again.
  kForget,
};

class Windower {
 public:
  Windower(Clock clock, Windows windows, IdleKeys idle_keys)
      : clock_(clock), windows_(windows), idle_keys_(idle_keys) {}

  // An item of the key. Its own time moves the watermark before it is placed. `out` is cleared
  // first. Late, as the original decided it: for sliding and tumbling windows each window that
  // ended before the watermark; for sessions an item before the watermark, except one that is not
  // older than the newest seen: data in order is never late, however slowly it comes.
  // A session of such an item may be due at once.
  Placed on_item(WindowerState& state, Micros item_us, Micros now_us, Outcome& out) const;

  // Time has passed: appends what closes, in order of start.
  void on_notify(WindowerState& state, Micros now_us, std::vector<ClosedWindow>& closed) const;

  // No item will come: "all windows are closed", in order of start. The watermark is not moved, so
  // that a run which goes on from this state takes items as before.
  void on_eof(WindowerState& state, std::vector<ClosedWindow>& closed) const;

  // The system time of the next on_notify that closes a window if no item comes; in the past: now;
  // kNever: none is open, or it would be in thousands of years.
  Micros next_due(const WindowerState& state) const;

  // Whether the state is as good as a fresh one and may be dropped.
  bool may_forget(const WindowerState& state) const {
    return idle_keys_ == IdleKeys::kForget && state.open.empty();
  }

  const Windows& windows() const noexcept { return windows_; }

 private:
  Micros settles_us(const OpenWindow& window) const;
  void close_settled(WindowerState& state, std::vector<ClosedWindow>& closed) const;

  Clock clock_;
  Windows windows_;
  IdleKeys idle_keys_;
};

}  // namespace machida::window
