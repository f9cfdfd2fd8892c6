#include "server/base/log.h"

#include <doctest/doctest.h>

TEST_CASE("of many equal events the first ten get a line, then ever fewer") {
  int lines = 0;
  for (std::uint64_t i = 1; i <= 100'000; ++i) lines += machida::log::worth_a_line(i) ? 1 : 0;
  CHECK(lines == 10 + 4);
  CHECK(machida::log::worth_a_line(1000));
  CHECK_FALSE(machida::log::worth_a_line(1001));
  CHECK_FALSE(machida::log::worth_a_line(2000));
}

TEST_CASE("levels have names") {
  CHECK(machida::log::level_named("warn") == machida::log::Level::kWarn);
  CHECK_FALSE(machida::log::level_named("loud"));
}
