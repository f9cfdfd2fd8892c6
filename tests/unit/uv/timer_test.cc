#include "server/uv/timer.h"

#include <doctest/doctest.h>

#include "server/uv/loop.h"
#include "server/uv/offload.h"

namespace machida::uv {

TEST_CASE("work that continues itself in the next turn leaves the loop its other work") {
  Loop loop;
  int turns = 0;
  Wake wake(loop, [&] { loop.stop(); });
  NextTurn next(loop, [&] {
    if (++turns == 1) wake.ask();
    REQUIRE_MESSAGE(turns < 10'000, "the loop never looked at what another thread had asked");
    next.ask();
  });
  next.ask();
  loop.run();
  CHECK(turns >= 1);
}

TEST_CASE("several askings for the next turn are one call") {
  Loop loop;
  int calls = 0;
  NextTurn next(loop, [&] { ++calls; });
  next.ask();
  next.ask();
  loop.run();
  CHECK(calls == 1);
}

}  // namespace machida::uv
