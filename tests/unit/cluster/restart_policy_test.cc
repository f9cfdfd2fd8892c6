#include "server/cluster/restart_policy.h"

#include <doctest/doctest.h>

using machida::cluster::RestartPolicy;

TEST_CASE("the wait for a restart doubles up to its limit as long as there is progress") {
  RestartPolicy policy;
  std::uint64_t now_ms = 1000;
  for (const std::uint64_t wanted_ms :
       {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000}) {
    policy.started(now_ms);
    policy.progressed();
    const auto wait_ms = policy.died(now_ms += 50);
    REQUIRE(wait_ms);
    CHECK(*wait_ms == wanted_ms);
    now_ms += *wait_ms;
  }
}

TEST_CASE("workers that lived for a while are worth a quick restart again") {
  RestartPolicy policy;
  policy.started(0);
  CHECK(*policy.died(10) == 100);
  policy.started(110);
  CHECK(*policy.died(29'000) == 200);
  policy.started(30'000);
  CHECK(*policy.died(60'000) == 100);
}

TEST_CASE("five deaths within a minute without progress are the end") {
  RestartPolicy policy;
  for (int i = 0; i < 4; ++i) CHECK(policy.died(1000));
  SUBCASE("the fifth in time") { CHECK_FALSE(policy.died(61'000)); }
  SUBCASE("the fifth later") { CHECK(policy.died(61'001)); }
  SUBCASE("progress in between") {
    policy.progressed();
    CHECK(policy.died(1000));
  }
}
