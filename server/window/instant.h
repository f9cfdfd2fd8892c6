// Instants and spans as 64-bit counts of microseconds, with no undefined overflow.
//
// An instant counts from 1970-01-01 00:00 UTC and may be negative. What comes from outside lies
// within +-kFarthest: 73,000 years, while Python's datetimes end after 8,000. Sums of three such
// numbers still fit; where more are added, the result saturates at kBeginning or kNever.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace machida::window {

using Micros = std::int64_t;

inline constexpr Micros kFarthest = Micros{1} << 61;
inline constexpr Micros kBeginning = std::numeric_limits<Micros>::min();  // before every instant
inline constexpr Micros kNever = std::numeric_limits<Micros>::max();      // after every instant

constexpr bool in_range(Micros us) { return -kFarthest <= us && us <= kFarthest; }

// The nearest number in range. For spans: one of 73,000 years is as good as a longer one.
constexpr Micros clamped(Micros us) { return std::clamp(us, -kFarthest, kFarthest); }

// a + b; kBeginning and kNever stay what they are, and are what a sum that does not fit becomes.
constexpr Micros plus(Micros a, Micros b) {
  if (a == kBeginning || a == kNever) return a;
  Micros sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return b < 0 ? kBeginning : kNever;
  return sum;
}

// a - b, likewise.
constexpr Micros minus(Micros a, Micros b) {
  if (a == kBeginning || a == kNever) return a;
  Micros difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) return b < 0 ? kNever : kBeginning;
  return difference;
}

// a / b rounded towards the past; b > 0.
constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0); }

}  // namespace machida::window
