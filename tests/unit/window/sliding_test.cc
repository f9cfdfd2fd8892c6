#include "server/window/sliding.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace machida::window;

namespace {

using Ids = std::vector<std::int64_t>;

// The windows of one item, nothing else being open.
Ids windows_of(const SlidingWindows& windows, Micros item_us, Micros watermark_us = kBeginning) {
  std::vector<OpenWindow> open;
  Outcome out;
  windows.place(open, item_us, watermark_us, out);
  Ids ids;
  for (const WindowId id : out.windows) ids.push_back(static_cast<std::int64_t>(id));
  REQUIRE(open.size() == ids.size());
  for (std::size_t i = 0; i < open.size(); ++i) {
    CHECK(open[i] == windows.window(ids[i]));
    CHECK(open[i].first_us <= item_us);
    CHECK(item_us < open[i].last_us);
  }
  return ids;
}

}  // namespace

TEST_CASE("a tumbling window has its start and not its end") {
  const SlidingWindows windows = *SlidingWindows::tumbling(10, 3);
  CHECK(windows_of(windows, 3) == Ids{0});
  CHECK(windows_of(windows, 12) == Ids{0});
  CHECK(windows_of(windows, 13) == Ids{1});
  CHECK(windows_of(windows, 2) == Ids{-1});  // before align_to
  CHECK(windows_of(windows, -7) == Ids{-1});
  CHECK(windows_of(windows, -8) == Ids{-2});
}

TEST_CASE("a sliding window whose length is a multiple of its offset") {
  const SlidingWindows windows = *SlidingWindows::make(10, 5, 0);
  CHECK(windows_of(windows, 0) == Ids{-1, 0});
  CHECK(windows_of(windows, 4) == Ids{-1, 0});
  CHECK(windows_of(windows, 5) == Ids{0, 1});
  CHECK(windows_of(windows, -1) == Ids{-2, -1});
}

TEST_CASE("a sliding window whose length is no multiple of its offset") {
  const SlidingWindows windows = *SlidingWindows::make(10, 4, 0);
  CHECK(windows_of(windows, 0) == Ids{-2, -1, 0});
  CHECK(windows_of(windows, 2) == Ids{-1, 0});
  CHECK(windows_of(windows, 4) == Ids{-1, 0, 1});
  CHECK(windows_of(windows, 6) == Ids{0, 1});
}

TEST_CASE("an offset longer than the length leaves gaps") {
  const SlidingWindows windows = *SlidingWindows::make(4, 10, 0);
  CHECK(windows_of(windows, 3) == Ids{0});
  CHECK(windows_of(windows, 4).empty());
  CHECK(windows_of(windows, 9).empty());
  CHECK(windows_of(windows, 10) == Ids{1});
  CHECK(windows_of(windows, -7) == Ids{-1});
  std::vector<OpenWindow> open;
  Outcome out;
  CHECK(windows.place(open, 4, kNever, out) == Placed::kBetween);
  CHECK(out.late_windows == 0);
}

TEST_CASE("windows that end before the watermark are late, one that ends at it is not") {
  const SlidingWindows windows = *SlidingWindows::make(10, 5, 0);
  CHECK(windows_of(windows, 7, 10) == Ids{0, 1});
  CHECK(windows_of(windows, 7, 11) == Ids{1});
  CHECK(windows_of(windows, 7, 15) == Ids{1});
  std::vector<OpenWindow> open;
  Outcome out;
  CHECK(windows.place(open, 7, 11, out) == Placed::kInWindows);
  CHECK(out.late_windows == 1);
  out.clear();
  CHECK(windows.place(open, 7, 16, out) == Placed::kLate);
  CHECK(out.late_windows == 2);
  CHECK(out.windows.empty());
}

TEST_CASE("windows open in order, whatever the order of the items") {
  const SlidingWindows windows = *SlidingWindows::make(10, 5, 0);
  std::vector<OpenWindow> open;
  Outcome out;
  for (const Micros item_us : {100, 0, 50, 52, 3, 103, 51}) {
    out.clear();
    windows.place(open, item_us, kBeginning, out);
    CHECK(out.windows.size() == 2);
  }
  Ids ids;
  for (const OpenWindow& window : open) {
    ids.push_back(static_cast<std::int64_t>(window.id));
    CHECK(window == windows.window(ids.back()));
  }
  CHECK(ids == Ids{-1, 0, 9, 10, 19, 20});
}

TEST_CASE("an align_to far away keeps every microsecond") {
  for (const Micros align_us :
       {-62'135'596'800'000'000, 253'402'300'799'999'999, -kFarthest, kFarthest}) {
    const SlidingWindows windows = *SlidingWindows::tumbling(1, align_us);
    for (const Micros item_us : {-kFarthest, Micros{0}, Micros{1'700'000'000'000'000}, kFarthest})
      CHECK(windows_of(windows, item_us) == Ids{item_us - align_us});
  }
  const SlidingWindows longest = *SlidingWindows::tumbling(kNever, kFarthest);
  CHECK(windows_of(longest, kFarthest) == Ids{0});
  CHECK(windows_of(longest, -kFarthest) == Ids{-2});
}

TEST_CASE("windows that cannot be are refused with a reason") {
  CHECK(SlidingWindows::make(0, 1, 0).error().find("length") != std::string::npos);
  CHECK(SlidingWindows::make(-5, 1, 0).error().find("length") != std::string::npos);
  CHECK(SlidingWindows::make(5, 0, 0).error().find("offset") != std::string::npos);
  CHECK(SlidingWindows::make(5, 5, kNever).error().find("align_to") != std::string::npos);
  CHECK(SlidingWindows::make(86'400'000'000, 1, 0).error().find("windows") != std::string::npos);
  CHECK(SlidingWindows::make(SlidingWindows::kWindowsPerItemMax, 1, 0));
  CHECK_FALSE(SlidingWindows::make(SlidingWindows::kWindowsPerItemMax + 1, 1, 0));
}

TEST_CASE("an item in as many windows as allowed, before and after others") {
  constexpr auto kMax = SlidingWindows::kWindowsPerItemMax;
  const SlidingWindows windows = *SlidingWindows::make(kMax, 1, 0);
  std::vector<OpenWindow> open;
  Outcome out;
  for (const Micros item_us : {kMax, kMax / 2, kMax / 2 + 1}) {
    out.clear();
    windows.place(open, item_us, kBeginning, out);
    CHECK(out.windows.size() == static_cast<std::size_t>(kMax));
  }
  CHECK(open.size() == static_cast<std::size_t>(kMax + kMax / 2));
}
