#include "server/flow/intake.h"

#include <doctest/doctest.h>

#include <stdexcept>

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

TEST_CASE("what fails inside a source's work pauses the sources and is thrown on") {
  machida::flow::Intake intake;
  intake.pause_if_it_throws([] {});
  CHECK_FALSE(intake.paused());
  CHECK_THROWS_WITH(intake.pause_if_it_throws([] { throw std::runtime_error("user code"); }),
                    "user code");
  CHECK(intake.paused());
}
