#include "server/window/sliding.h"

#include <algorithm>
#include <string>

namespace machida::window {

Result<SlidingWindows> SlidingWindows::make(Micros length_us, Micros offset_us, Micros align_us) {
  if (length_us <= 0) return Error{"the length of a window must be longer than zero"};
  if (offset_us <= 0) return Error{"the offset between windows must be longer than zero"};
  if (!in_range(align_us)) return Error{"align_to is more than 73,000 years from 1970"};
  length_us = clamped(length_us);
  offset_us = clamped(offset_us);
  if ((length_us - 1) / offset_us + 1 > kWindowsPerItemMax)
    return Error{"windows of " + std::to_string(length_us) + " us every " +
                 std::to_string(offset_us) + " us put each item into more than " +
                 std::to_string(kWindowsPerItemMax) + " windows"};
  return SlidingWindows(length_us, offset_us, align_us);
}

bool SlidingWindows::has(std::int64_t index) const {
  Micros first_us = 0;
  return !__builtin_mul_overflow(index, offset_us_, &first_us) &&
         !__builtin_add_overflow(first_us, align_us_, &first_us) &&
         first_us >= -kFarthest - length_us_ && first_us <= kFarthest;
}

Placed SlidingWindows::place(std::vector<OpenWindow>& open, Micros item_us, Micros watermark_us,
                             Outcome& out) const {
  // All of these are in range, so no sum overflows. The windows are those with
  // start <= item < start + length.
  const Micros since_us = item_us - align_us_;
  std::int64_t low = floor_div(since_us - length_us_, offset_us_) + 1;
  const std::int64_t high = offset_us_ == length_us_ ? low : floor_div(since_us, offset_us_);
  if (low > high) return Placed::kBetween;
  while (low <= high && window(low).last_us < watermark_us) {
    ++low;
    ++out.late_windows;
  }
  if (low > high) return Placed::kLate;

  const auto before = [](const OpenWindow& window, std::int64_t index) {
    return window.id < WindowId{index};
  };
  const auto begin = std::lower_bound(open.begin(), open.end(), low, before);
  const auto end = std::lower_bound(begin, open.end(), high + 1, before);
  const auto wanted = static_cast<std::size_t>(high - low + 1);
  const auto found = static_cast<std::size_t>(end - begin);
  if (found < wanted) {  // make room at once: one by one would move the later ones each time
    const std::ptrdiff_t place = begin - open.begin();
    open.insert(end, wanted - found, OpenWindow{});
    for (std::int64_t index = low; index <= high; ++index)
      open[static_cast<std::size_t>(place + (index - low))] = window(index);
  }
  for (std::int64_t index = low; index <= high; ++index) out.windows.push_back(WindowId{index});
  return Placed::kInWindows;
}

}  // namespace machida::window
