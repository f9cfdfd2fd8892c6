// Topologies of one pipeline between two TCP addresses, for tests of steps.
#pragma once

#include <string>

#include "embed/gil.h"
#include "server/plan/plan.h"

namespace machida::testing {

// `steps`: tuples of a topology as Python text, such as "('to', Step(lambda d: d))". They may use
// Step(fn, name), Multi(fn), By(fn), the state Count and `count`, a step that appends its number to
// the record. The decoder makes text, and nothing of b'none'; frames have a header of one byte.
plan::Plan plan_of_steps(const embed::Gil&, const std::string& steps);

}  // namespace machida::testing
