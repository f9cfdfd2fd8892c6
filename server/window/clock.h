// What gives items their time and moves the watermark (ClockConfig in the specification of
// bytewax.window). Arithmetic only: the system time `now_us` always comes from the caller, in
// microseconds since 1970 UTC.
#pragma once

#include "server/window/instant.h"
#include "server/window/watermark.h"

namespace machida::window {

class Clock {
 public:
  // EventClockConfig: "the largest item timestamp seen thus far, minus the waiting duration, plus
  // the system time duration that has elapsed since that item was seen". Of all items the one that
  // gives the largest watermark counts, so it never goes back. Time that passes while the
  // server is down has elapsed, too. A wait beyond 73,000 years is for ever.
  static Clock event(Micros wait_us) { return {Kind::kEvent, clamped(wait_us)}; }

  // SystemClockConfig: items and watermark have the current system time. When the system's clock is
  // set back both stand still until it has caught up, so that no item is ever late.
  static Clock system() { return {Kind::kSystem, 0}; }

  bool gives_item_times() const noexcept { return kind_ == Kind::kSystem; }

  // System time goes on, without an item. A clock that was set back lets no time elapse.
  void advance(Watermark& mark, Micros now_us) const {
    if (mark.value_us == kBeginning) return;
    if (kind_ == Kind::kSystem) {
      mark.value_us = std::max(mark.value_us, now_us);
    } else {
      if (now_us > mark.seen_us) mark.value_us = plus(mark.value_us, minus(now_us, mark.seen_us));
      mark.seen_us = now_us;
    }
  }

  // An item, after `advance` to the same `now_us`; the time that it has for windows. `item_us`, its
  // own, must be in range; the system clock ignores it.
  Micros see(Watermark& mark, Micros item_us, Micros now_us) const {
    if (kind_ == Kind::kSystem) return mark.value_us = std::max(mark.value_us, now_us);
    mark.value_us = std::max(mark.value_us, item_us - wait_us_);
    mark.seen_us = now_us;
    return item_us;
  }

  // The system time at which, without more items, the watermark is at least `value_us`: at the
  // latest the time it was last looked at, at most kNever.
  Micros reaches(const Watermark& mark, Micros value_us) const {
    if (mark.value_us == kBeginning) return kNever;
    if (kind_ == Kind::kSystem) return value_us;
    return plus(mark.seen_us, std::max<Micros>(0, minus(value_us, mark.value_us)));
  }

 private:
  enum class Kind { kEvent, kSystem };
  Clock(Kind kind, Micros wait_us) : kind_(kind), wait_us_(wait_us) {}

  Kind kind_;
  Micros wait_us_;
};

}  // namespace machida::window
