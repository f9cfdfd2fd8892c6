// What one sink, or the journal, does about the intake when it is full: a pause that counts once,
// however often it is asked for. Worker's thread.
#pragma once

#include <utility>

#include "server/flow/intake.h"

namespace machida::flow {

class IntakeHold {
 public:
  explicit IntakeHold(Intake& intake) : intake_(intake) {}

  void pause() {
    if (!std::exchange(held_, true)) intake_.pause();
  }
  void resume() {
    if (std::exchange(held_, false)) intake_.resume();
  }
  // After a queue has changed. Neither full nor roomy: all stays as it is.
  void follow(bool is_full, bool is_roomy) {
    if (is_full)
      pause();
    else if (is_roomy)
      resume();
  }

 private:
  Intake& intake_;
  bool held_ = false;
};

}  // namespace machida::flow
