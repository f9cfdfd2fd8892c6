#include "server/window/session.h"

#include <doctest/doctest.h>

#include <vector>

using namespace machida::window;

namespace {

struct Sessions {
  explicit Sessions(Micros gap_us) : windows(*SessionWindows::make(gap_us)) {}
  // The id of the item's session.
  std::int64_t put(Micros item_us) {
    out.clear();
    windows.place(open, item_us, next_id, out);
    REQUIRE(out.windows.size() == 1);
    return static_cast<std::int64_t>(out.windows.front());
  }
  SessionWindows windows;
  std::vector<OpenWindow> open;
  std::int64_t next_id = 0;
  Outcome out;
};

using Open = std::vector<OpenWindow>;

}  // namespace

TEST_CASE("an item less than the gap after the latest joins, one exactly a gap apart does not") {
  Sessions sessions(5);
  CHECK(sessions.put(0) == 0);
  CHECK(sessions.put(4) == 0);
  CHECK(sessions.put(9) == 1);  // 4 + 5
  CHECK(sessions.put(13) == 1);
  CHECK(sessions.put(13) == 1);
  CHECK(sessions.open == Open{{WindowId{0}, 0, 4}, {WindowId{1}, 9, 13}});
  CHECK(sessions.windows.settles_us(sessions.open[0]) == 9);
}

TEST_CASE("an item less than the gap before a session moves its start") {
  Sessions sessions(5);
  CHECK(sessions.put(10) == 0);
  CHECK(sessions.put(8) == 0);
  CHECK(sessions.put(3) == 1);  // 8 - 5
  CHECK(sessions.put(9) == 0);
  CHECK(sessions.open == Open{{WindowId{1}, 3, 3}, {WindowId{0}, 8, 10}});
}

TEST_CASE("an item that bridges two sessions merges the later into the earlier") {
  Sessions sessions(5);
  CHECK(sessions.put(0) == 0);
  CHECK(sessions.put(8) == 1);
  CHECK(sessions.put(4) == 0);
  CHECK(sessions.out.merges == std::vector<Merge>{{WindowId{1}, WindowId{0}}});
  CHECK(sessions.open == Open{{WindowId{0}, 0, 8}});
}

TEST_CASE("the earlier session stays, even when it was opened later") {
  Sessions sessions(5);
  CHECK(sessions.put(8) == 0);
  CHECK(sessions.put(0) == 1);
  CHECK(sessions.put(4) == 1);
  CHECK(sessions.out.merges == std::vector<Merge>{{WindowId{0}, WindowId{1}}});
  CHECK(sessions.put(20) == 2);  // ids are not used again while windows are open
}

TEST_CASE("an item between two sessions a gap from both is its own") {
  Sessions sessions(5);
  sessions.put(0);
  sessions.put(10);
  CHECK(sessions.put(5) == 2);
  CHECK(sessions.out.merges.empty());
  CHECK(sessions.open == Open{{WindowId{0}, 0, 0}, {WindowId{2}, 5, 5}, {WindowId{1}, 10, 10}});
}

TEST_CASE("after a restart with a longer gap one item may merge many sessions") {
  Sessions sessions(5);
  for (const Micros item_us : {0, 5, 10, 15, 40}) sessions.put(item_us);
  sessions.windows = *SessionWindows::make(20);
  CHECK(sessions.put(19) == 0);
  CHECK(sessions.out.merges == std::vector<Merge>{{WindowId{1}, WindowId{0}},
                                                  {WindowId{2}, WindowId{0}},
                                                  {WindowId{3}, WindowId{0}}});
  CHECK(sessions.open == Open{{WindowId{0}, 0, 19}, {WindowId{4}, 40, 40}});  // 21 apart
}

TEST_CASE("gaps that cannot be are refused with a reason, long ones are not") {
  CHECK(SessionWindows::make(-1).error() == "the gap of a session cannot be negative");
  CHECK_FALSE(SessionWindows::make(0));
  Sessions sessions(kNever);
  sessions.put(-kFarthest);
  CHECK(sessions.put(0) == 1);  // kFarthest apart, which is the longest gap there is
  CHECK(sessions.put(kFarthest - 1) == 1);
  CHECK(sessions.windows.settles_us(sessions.open[1]) == 2 * kFarthest - 1);
}
