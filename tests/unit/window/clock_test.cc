#include "server/window/clock.h"

#include <doctest/doctest.h>

using namespace machida::window;

namespace {

// One item or, without, a look at the clock.
Micros look(const Clock& clock, Watermark& mark, Micros now_us) {
  clock.advance(mark, now_us);
  return mark.value_us;
}
Micros item(const Clock& clock, Watermark& mark, Micros item_us, Micros now_us) {
  clock.advance(mark, now_us);
  clock.see(mark, item_us, now_us);
  return mark.value_us;
}

}  // namespace

TEST_CASE("the watermark of the event clock is before all time until an item comes") {
  const Clock clock = Clock::event(10);
  Watermark mark;
  CHECK(look(clock, mark, 5'000) == kBeginning);
  CHECK(clock.reaches(mark, 0) == kNever);
}

TEST_CASE("the event clock goes on with system time, and an item moves it only forward") {
  const Clock clock = Clock::event(10);
  Watermark mark;
  CHECK(item(clock, mark, 100, 1'000) == 90);
  CHECK(look(clock, mark, 1'002) == 92);
  CHECK(item(clock, mark, 160, 1'004) == 150);
  // The larger timestamp, but a smaller watermark: 160 - 10 + 2 is ahead of 161 - 10.
  CHECK(item(clock, mark, 161, 1'006) == 152);
  CHECK(item(clock, mark, 20, 1'006) == 152);
  CHECK(clock.reaches(mark, 160) == 1'014);
  CHECK(clock.reaches(mark, 152) == 1'006);
  CHECK(clock.reaches(mark, 100) == 1'006);  // long ago: when it was last looked at
}

TEST_CASE("an item moves the watermark only by what it is ahead") {
  const Clock clock = Clock::event(0);
  Watermark mark;
  CHECK(item(clock, mark, 100, 0) == 100);
  CHECK(item(clock, mark, 120, 50) == 150);
  CHECK(item(clock, mark, 151, 50) == 151);
}

TEST_CASE("a system clock that was set back does not take the watermark with it") {
  const Clock event = Clock::event(0);
  Watermark mark;
  CHECK(item(event, mark, 100, 1'000) == 100);
  CHECK(look(event, mark, 400) == 100);
  CHECK(look(event, mark, 430) == 130);  // what elapsed since
  CHECK(event.reaches(mark, 140) == 440);

  const Clock system = Clock::system();
  Watermark now;
  CHECK(item(system, now, 0, 1'000) == 1'000);
  CHECK(item(system, now, 0, 400) == 1'000);
  CHECK(item(system, now, 0, 1'001) == 1'001);
}

TEST_CASE("the system clock gives items and watermark the system time") {
  const Clock clock = Clock::system();
  Watermark mark;
  clock.advance(mark, 70);
  CHECK(clock.see(mark, -12345, 70) == 70);
  CHECK(mark.value_us == 70);
  CHECK(look(clock, mark, 90) == 90);
  CHECK(clock.reaches(mark, 100) == 100);
}

TEST_CASE("a wait for ever and times at the ends of the range do not overflow") {
  const Clock clock = Clock::event(kNever);
  Watermark mark;
  CHECK(item(clock, mark, -kFarthest, -kFarthest) == -2 * kFarthest);
  CHECK(look(clock, mark, kFarthest) == 0);
  for (int i = 0; i < 8; ++i) {
    look(clock, mark, -kFarthest);
    look(clock, mark, kFarthest);
  }
  CHECK(mark.value_us == kNever);
  CHECK(item(clock, mark, kFarthest, kFarthest) == kNever);
  const Clock ahead = Clock::event(kBeginning);
  Watermark other;
  CHECK(item(ahead, other, kFarthest, kFarthest) == 2 * kFarthest);
  CHECK(ahead.reaches(other, kNever) == kNever);
}
