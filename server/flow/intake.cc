#include "server/flow/intake.h"

#include "server/base/check.h"

namespace machida::flow {

void Intake::pause() {
  if (++pauses_ == 1) tell();
}

void Intake::resume() {
  MACHIDA_CHECK(pauses_ > 0, "resumed more often than paused");
  if (--pauses_ == 0) tell();
}

void Intake::tell() const {
  for (const auto& on_change : watchers_) on_change();
}

}  // namespace machida::flow
