#include "server/window/instant.h"

#include <doctest/doctest.h>

using namespace machida::window;

TEST_CASE("sums that do not fit stop at the ends of time") {
  CHECK(plus(1, 2) == 3);
  CHECK(plus(kNever - 1, 5) == kNever);
  CHECK(plus(kBeginning + 1, -5) == kBeginning);
  CHECK(minus(kFarthest, -kFarthest) == kFarthest * 2);
  CHECK(minus(kFarthest * 2, -kFarthest * 2) == kNever);
  CHECK(minus(-kFarthest * 2, kFarthest * 3) == kBeginning);
}

TEST_CASE("the ends of time stay where they are") {
  CHECK(plus(kBeginning, 1'000) == kBeginning);
  CHECK(plus(kNever, -1'000) == kNever);
  CHECK(minus(kBeginning, -1'000) == kBeginning);
  CHECK(minus(kNever, 1'000) == kNever);
}

TEST_CASE("division rounds towards the past") {
  CHECK(floor_div(7, 5) == 1);
  CHECK(floor_div(5, 5) == 1);
  CHECK(floor_div(0, 5) == 0);
  CHECK(floor_div(-1, 5) == -1);
  CHECK(floor_div(-5, 5) == -1);
  CHECK(floor_div(-6, 5) == -2);
}

TEST_CASE("all of Python's datetimes are in range") {
  CHECK(in_range(-62'135'596'800'000'000));  // 0001-01-01
  CHECK(in_range(253'402'300'799'999'999));  // 9999-12-31 23:59:59.999999
  CHECK_FALSE(in_range(kFarthest + 1));
  CHECK_FALSE(in_range(kBeginning));
  CHECK(clamped(kNever) == kFarthest);
  CHECK(clamped(kBeginning) == -kFarthest);
}
