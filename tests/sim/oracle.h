// What a run must have come to: the outputs and states of a one-worker run of the same input.
#pragma once

#include <string>

#include "embed/gil.h"
#include "tests/sim/world.h"

namespace machida::sim {

// What is wrong with a run that has ended, or "".
std::string judge(const embed::Gil&, World& world);

}  // namespace machida::sim
