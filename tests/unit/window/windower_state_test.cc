#include "server/window/windower_state.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "server/window/varint.h"
#include "server/window/windower.h"

using namespace machida::window;

namespace {

constexpr Micros kNow = 1'700'000'000'000'000;

WindowerState state_with(const Windows& windows, std::vector<Micros> items) {
  const Windower windower(Clock::event(1'000'000'000), windows, IdleKeys::kKeep);
  WindowerState state;
  Outcome out;
  for (const Micros item_us : items) windower.on_item(state, item_us, kNow, out);
  return state;
}

std::string error_of(const std::string& bytes, const Windows& windows) {
  const auto state = from_bytes(bytes, windows);
  return state ? "" : state.error();
}

const Windows kTumbling = *SlidingWindows::tumbling(60'000'000, 0);
const Windows kSliding = *SlidingWindows::make(100, 30, -7);
const Windows kSession = *SessionWindows::make(50);

}  // namespace

TEST_CASE("a state comes back from its bytes") {
  for (const Windows& windows : {kTumbling, kSliding, kSession}) {
    const std::vector<std::vector<Micros>> runs = {
        {}, {0}, {kNow}, {kNow, kNow - 500, kNow + 700}, {kFarthest}, {-kFarthest, -5, 3, 60}};
    for (const std::vector<Micros>& items : runs) {
      const WindowerState state = state_with(windows, items);
      const std::string bytes = to_bytes(state, windows);
      const auto restored = from_bytes(bytes, windows);
      REQUIRE(restored);
      CHECK(*restored == state);
    }
  }
}

TEST_CASE("the bytes of a key are few") {
  CHECK(to_bytes(state_with(kTumbling, {kNow}), kTumbling).size() <= 32);
  CHECK(to_bytes(state_with(kSession, {kNow, kNow + 3}), kSession).size() <= 40);
  // Windows side by side cost a byte each.
  const Windows many = *SlidingWindows::make(1'000'000, 1'000, 0);
  const WindowerState state = state_with(many, {kNow});
  CHECK(state.open.size() == 1'000);
  CHECK(to_bytes(state, many).size() < 1'040);
}

TEST_CASE("the bytes of version 1 stay readable") {
  const WindowerState tumbling = state_with(*SlidingWindows::tumbling(10, 0), {0, 25});
  CHECK(to_bytes(tumbling, *SlidingWindows::tumbling(10, 0)).substr(0, 2) == std::string{1, 0});
  const std::string bytes{1, 1, 10, 0, 20, 2, 1, 0, 20, 3};
  const auto state = from_bytes(bytes, kSession);
  REQUIRE(state);
  CHECK(state->watermark == Watermark{5, 0});
  CHECK(state->newest_us == 10);
  CHECK(state->next_id == 2);
  CHECK(state->open == std::vector<OpenWindow>{{WindowId{0}, 10, 13}});
}

TEST_CASE("bytes that are no state are refused with a reason") {
  CHECK(error_of("", kSession).find("cut off") != std::string::npos);
  CHECK(error_of({2, 1}, kSession).find("version 2") != std::string::npos);
  for (const Windows& windows : {kTumbling, kSliding, kSession}) {
    const std::string bytes = to_bytes(state_with(windows, {0, 300, kNow}), windows);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      CHECK(error_of(bytes.substr(0, size), windows) != "");
    CHECK(error_of(bytes + '\0', windows).find("after its end") != std::string::npos);
    // Whatever a byte becomes: an error or a state that makes the same bytes again.
    for (std::size_t i = 0; i < bytes.size(); ++i)
      for (int value = 0; value < 256; ++value) {
        std::string damaged = bytes;
        damaged[i] = static_cast<char>(value);
        if (const auto state = from_bytes(damaged, windows))
          CHECK(*from_bytes(to_bytes(*state, windows), windows) == *state);
      }
  }
}

TEST_CASE("a state of other windows is refused, one of another gap is not") {
  const std::string tumbling = to_bytes(state_with(kTumbling, {kNow}), kTumbling);
  CHECK(error_of(tumbling, kSession).find("other windows") != std::string::npos);
  CHECK(error_of(tumbling, *SlidingWindows::tumbling(60'000'000, 1)).find("aligned") !=
        std::string::npos);
  CHECK(error_of(tumbling, *SlidingWindows::tumbling(30'000'000, 0)).find("60000000 us") !=
        std::string::npos);
  // Without an open window there is nothing that would not fit.
  CHECK(from_bytes(to_bytes({}, kTumbling), kSliding));
  CHECK(from_bytes(to_bytes(state_with(kSession, {0, 60}), kSession), *SessionWindows::make(90)));
}

TEST_CASE("integers of all sizes come back from their bytes") {
  for (const std::int64_t value :
       {kBeginning, kBeginning + 1, -kFarthest, std::int64_t{-65}, std::int64_t{-64},
        std::int64_t{-1}, std::int64_t{0}, std::int64_t{63}, std::int64_t{64}, kFarthest, kNever}) {
    std::string bytes;
    put_signed(bytes, value);
    std::string_view rest = bytes;
    CHECK(take_signed(rest) == value);
    CHECK(rest.empty());
  }
  std::string_view longer = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
  CHECK_FALSE(take_unsigned(longer));
  std::string_view cut = "\x80";
  CHECK_FALSE(take_unsigned(cut));
}
