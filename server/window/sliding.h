// Windows of one length whose starts are `offset` apart (SlidingWindow and TumblingWindow in the
// specification of bytewax.window). "Window start times are inclusive, but end times are
// exclusive." With offset == length they tumble, with offset > length there are gaps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/base/result.h"
#include "server/window/instant.h"
#include "server/window/outcome.h"

namespace machida::window {

class SlidingWindows {
 public:
  // An item is in ceil(length / offset) windows; more than this is taken for a mistake of units.
  static constexpr std::int64_t kWindowsPerItemMax = std::int64_t{1} << 20;

  // Windows start at align_us + i * offset_us for every i, also before align_us. Error: a length or
  // offset that is not positive, too many windows per item, align_us out of range.
  static Result<SlidingWindows> make(Micros length_us, Micros offset_us, Micros align_us);
  static Result<SlidingWindows> tumbling(Micros length_us, Micros align_us) {
    return make(length_us, length_us, align_us);
  }

  // Puts an item into its windows, opening those that are missing in `open` (sorted by id). Those
  // that end before the watermark have closed and count as late; one that ends right at it has not.
  // Appends to out.windows, sets out.late_windows.
  Placed place(std::vector<OpenWindow>& open, Micros item_us, Micros watermark_us,
               Outcome& out) const;

  // The watermark that closes the window: it must have passed the end, as in the original.
  Micros settles_us(const OpenWindow& window) const { return window.last_us + 1; }

  OpenWindow window(std::int64_t index) const {
    const Micros first_us = align_us_ + index * offset_us_;
    return {WindowId{index}, first_us, first_us + length_us_};
  }
  // Whether `window(index)` can be calculated: it lies within what an item can reach.
  bool has(std::int64_t index) const;

  Micros length_us() const noexcept { return length_us_; }
  Micros offset_us() const noexcept { return offset_us_; }
  Micros align_us() const noexcept { return align_us_; }

 private:
  SlidingWindows(Micros length_us, Micros offset_us, Micros align_us)
      : length_us_(length_us), offset_us_(offset_us), align_us_(align_us) {}

  Micros length_us_, offset_us_, align_us_;
};

}  // namespace machida::window
