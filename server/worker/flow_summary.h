// What a dataflow's run has counted, as lines of the log.
#pragma once

#include "server/metrics/counter.h"
#include "server/plan/dataflow.h"

namespace machida::worker {

// Whether user code ended the run.
enum class FlowFailed { kNo, kYes };

// Of the workers of this process.
void log_flow_summary(const plan::Dataflow& plan, const metrics::Registry& metrics,
                      FlowFailed failed);

}  // namespace machida::worker
