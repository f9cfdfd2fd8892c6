#include "server/window/windower.h"

#include <doctest/doctest.h>

#include <vector>

using namespace machida::window;

namespace {

constexpr Micros kSecond = 1'000'000;

using Closed = std::vector<ClosedWindow>;

Windows tumbling(Micros length_us, Micros align_us = 0) {
  return *SlidingWindows::tumbling(length_us, align_us);
}
Windows sessions(Micros gap_us) { return *SessionWindows::make(gap_us); }

// One key of a step.
struct Key {
  Key(Clock clock, Windows windows, IdleKeys idle_keys = IdleKeys::kKeep)
      : windower(clock, windows, idle_keys) {}
  Placed item(Micros item_us, Micros now_us) {
    return windower.on_item(state, item_us, now_us, out);
  }
  Closed notify(Micros now_us) {
    Closed closed;
    windower.on_notify(state, now_us, closed);
    return closed;
  }
  Closed eof() {
    Closed closed;
    windower.on_eof(state, closed);
    return closed;
  }
  Micros due() const { return windower.next_due(state); }

  Windower windower;
  WindowerState state;
  Outcome out;
};

}  // namespace

TEST_CASE("a window closes when the watermark has passed its end, with an item or by time") {
  Key key(Clock::event(0), tumbling(10));
  CHECK(key.item(0, 1'000) == Placed::kInWindows);
  CHECK(key.due() == 1'011);
  CHECK(key.item(10, 1'000) == Placed::kInWindows);
  CHECK(key.out.closed.empty());  // the watermark is at its end, not past it
  CHECK(key.item(9, 1'000) == Placed::kInWindows);
  CHECK(key.out.windows == std::vector<WindowId>{WindowId{0}});
  CHECK(key.due() == 1'001);
  CHECK(key.notify(1'000).empty());
  CHECK(key.notify(1'001) == Closed{{WindowId{0}, 0, 10}});
  CHECK(key.due() == 1'011);
  CHECK(key.item(25, 1'001) == Placed::kInWindows);
  CHECK(key.out.closed == Closed{{WindowId{1}, 10, 20}});
  CHECK(key.eof() == Closed{{WindowId{2}, 20, 30}});
  CHECK(key.due() == kNever);
}

TEST_CASE("an item of a closed window is late, one before the watermark is not") {
  Key key(Clock::event(5), tumbling(10));
  key.item(20, 0);  // watermark 15
  CHECK(key.item(12, 0) == Placed::kInWindows);
  CHECK(key.item(9, 0) == Placed::kLate);
  CHECK(key.out.late_windows == 1);
  CHECK(key.out.windows.empty());
}

TEST_CASE("the waiting duration is in system time") {
  Key key(Clock::event(10 * kSecond), tumbling(10 * kSecond));
  key.item(9 * kSecond, 0);
  CHECK(key.item(1 * kSecond, 10 * kSecond) == Placed::kInWindows);
  CHECK(key.due() == 11 * kSecond + 1);
  CHECK(key.item(1 * kSecond, 11 * kSecond) == Placed::kInWindows);
  CHECK(key.item(1 * kSecond, 11 * kSecond + 1) == Placed::kLate);
  CHECK(key.out.closed == Closed{{WindowId{0}, 0, 10 * kSecond}});  // though nobody was woken
}

TEST_CASE("windows close in order of their start") {
  Key key(Clock::event(1'000), Windows(*SlidingWindows::make(10, 4, 0)));
  for (const Micros item_us : {30, 0, 12}) key.item(item_us, 0);
  const Closed all = key.eof();
  REQUIRE(all.size() == 8);
  for (std::size_t i = 1; i < all.size(); ++i) CHECK(all[i - 1].open_us < all[i].open_us);
}

TEST_CASE("keys do not make each other late") {
  const Windower windower(Clock::event(0), tumbling(10), IdleKeys::kKeep);
  WindowerState a, b;
  Outcome out;
  CHECK(windower.on_item(a, 50, 0, out) == Placed::kInWindows);
  CHECK(windower.on_item(b, 3, 0, out) == Placed::kInWindows);
}

TEST_CASE("an item right at the watermark is not late for a session, one before it is") {
  Key key(Clock::event(5), sessions(10));
  key.item(20, 0);  // watermark 15
  CHECK(key.item(15, 0) == Placed::kInWindows);
  CHECK(key.item(14, 0) == Placed::kLate);
  CHECK(key.out.late_windows == 1);
}

TEST_CASE("data in order is never late for sessions, however slowly it comes") {
  Key key(Clock::event(0), sessions(50));
  CHECK(key.item(0, 0) == Placed::kInWindows);
  CHECK(key.item(0, 0) == Placed::kInWindows);  // the same time again
  CHECK(key.item(10, 40) == Placed::kInWindows);
  CHECK(key.out.closed.empty());
  CHECK(key.item(20, 100) == Placed::kInWindows);  // the session closed when time reached 60
  CHECK(key.out.closed == Closed{{WindowId{0}, 0, 10}});
  CHECK(key.due() <= 100);
  CHECK(key.notify(100) == Closed{{WindowId{1}, 20, 20}});
  CHECK(key.item(19, 100) == Placed::kLate);
}

TEST_CASE("a session closes when the watermark is a gap after its latest item") {
  Key key(Clock::event(2), sessions(5));
  key.item(10, 100);
  CHECK(key.due() == 107);
  CHECK(key.notify(106).empty());
  CHECK(key.notify(107) == Closed{{WindowId{0}, 10, 10}});  // without the gap
}

TEST_CASE("a late item that is not too late bridges sessions") {
  Key key(Clock::event(60), sessions(5));
  key.item(0, 0);
  key.item(8, 0);
  CHECK(key.item(4, 0) == Placed::kInWindows);
  CHECK(key.out.merges == std::vector<Merge>{{WindowId{1}, WindowId{0}}});
  CHECK(key.out.windows == std::vector<WindowId>{WindowId{0}});
  CHECK(key.eof() == Closed{{WindowId{0}, 0, 8}});
}

TEST_CASE("with the system clock no item is late, and windows close when time has come") {
  Key key(Clock::system(), tumbling(10));
  CHECK(key.item(kBeginning, 3) == Placed::kInWindows);
  CHECK(key.due() == 11);
  CHECK(key.item(0, 10) == Placed::kInWindows);
  CHECK(key.out.windows == std::vector<WindowId>{WindowId{1}});
  CHECK(key.notify(11) == Closed{{WindowId{0}, 0, 10}});
  CHECK(key.item(0, 5) == Placed::kInWindows);  // the clock was set back
  CHECK(key.out.windows == std::vector<WindowId>{WindowId{1}});
  CHECK(key.notify(1'000) == Closed{{WindowId{1}, 10, 20}});
}

TEST_CASE("a key that is kept remembers its watermark, a forgotten one starts again") {
  Key kept(Clock::event(0), tumbling(10));
  kept.item(0, 0);
  CHECK(kept.notify(11).size() == 1);
  CHECK_FALSE(kept.windower.may_forget(kept.state));
  CHECK(kept.item(5, 11) == Placed::kLate);

  Key forgotten(Clock::event(0), tumbling(10), IdleKeys::kForget);
  forgotten.item(0, 0);
  CHECK_FALSE(forgotten.windower.may_forget(forgotten.state));
  SUBCASE("when it was woken") {
    CHECK(forgotten.notify(11).size() == 1);
    CHECK(forgotten.windower.may_forget(forgotten.state));
    CHECK(forgotten.state == WindowerState{});
  }
  SUBCASE("and when it was not") {}
  CHECK(forgotten.item(5, 11) == Placed::kInWindows);
  CHECK(forgotten.item(12, 11) == Placed::kInWindows);
  CHECK(forgotten.item(5, 11) == Placed::kLate);
}

TEST_CASE("a forgotten key of sessions does not remember its newest item") {
  Key key(Clock::event(0), sessions(5), IdleKeys::kForget);
  key.item(100, 0);
  CHECK(key.notify(5).size() == 1);
  CHECK(key.state == WindowerState{});
  CHECK(key.item(50, 10) == Placed::kInWindows);
  CHECK(key.item(50, 12) == Placed::kInWindows);  // in order, though behind the watermark
}

TEST_CASE("after the end of input a run goes on where it was") {
  Key key(Clock::event(10), tumbling(10));
  key.item(12, 0);
  CHECK(key.eof().size() == 1);
  CHECK(key.item(13, 0) == Placed::kInWindows);
}

TEST_CASE("timestamps and clocks beyond the range change nothing or stop at its end") {
  Key key(Clock::event(0), tumbling(10));
  CHECK(key.item(kNever, 0) == Placed::kOutOfRange);
  CHECK(key.item(kBeginning, 0) == Placed::kOutOfRange);
  CHECK(key.state == WindowerState{});
  CHECK(key.item(kFarthest, kNever) == Placed::kInWindows);
  CHECK(key.item(-kFarthest, kBeginning) == Placed::kLate);
  CHECK(key.due() != kNever);
  CHECK(key.notify(kNever).size() == 1);
}

TEST_CASE("thousands of keys are each on their own") {
  const Windower windower(Clock::event(2), sessions(5), IdleKeys::kKeep);
  constexpr std::size_t kKeys = 5'000;
  std::vector<WindowerState> states(kKeys);
  Outcome out;
  std::size_t closed = 0;
  for (Micros round = 0; round < 6; ++round)
    for (std::size_t i = 0; i < kKeys; ++i) {
      const auto shift = static_cast<Micros>(i);
      // Two items close together, then a gap, for each key at another time.
      const Micros item_us = shift * 7 + round / 2 * 20 + round % 2;
      CHECK(windower.on_item(states[i], item_us, 0, out) == Placed::kInWindows);
      closed += out.closed.size();
    }
  CHECK(closed == kKeys * 2);
  for (std::size_t i = 0; i < kKeys; ++i) {
    Closed rest;
    windower.on_eof(states[i], rest);
    const auto shift = static_cast<Micros>(i);
    CHECK(rest == Closed{{WindowId{2}, shift * 7 + 40, shift * 7 + 41}});
  }
}
