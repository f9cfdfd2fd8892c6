#include "server/flow/intake.h"

#include <doctest/doctest.h>

TEST_CASE("sources read again only when every sink that paused has resumed") {
  machida::flow::Intake intake;
  int changes = 0;
  intake.watch([&changes] { ++changes; });
  intake.pause();
  intake.pause();
  CHECK(intake.paused());
  intake.resume();
  CHECK(intake.paused());
  intake.resume();
  CHECK_FALSE(intake.paused());
  CHECK(changes == 2);
}
