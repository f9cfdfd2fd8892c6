// What can only be said about a plan when all of it was read.
#pragma once

#include "server/plan/mistakes.h"
#include "server/plan/plan.h"

namespace machida::plan {

// Also completes settings that others decide: a Kafka source's group is by default the
// application's name.
void check_whole(Plan& plan, Mistakes& mistakes);

}  // namespace machida::plan
