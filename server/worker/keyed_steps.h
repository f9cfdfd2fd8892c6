// Makes the live keyed steps of a dataflow.
#pragma once

#include <memory>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/base/system_time.h"
#include "server/flow/dead_letters.h"
#include "server/flow/keyed_step.h"
#include "server/metrics/counter.h"
#include "server/plan/keyed_spec.h"

namespace machida::worker {

// What every keyed step of a worker needs; outlives them.
struct KeyedSurroundings {
  flow::DeadLetters& dead_letters;
  const SystemTime& time;
  metrics::Registry& metrics;
  // metadata_class(open_time, close_time); empty: windows give bare accumulators.
  const embed::Object& metadata_class;
};

// `flow` names the dataflow in error messages; the step's id is its place and its states' name.
std::unique_ptr<flow::KeyedStep> make_keyed_step(const embed::Gil&, const plan::KeyedSpec& spec,
                                                 const std::string& flow,
                                                 const KeyedSurroundings& around);

}  // namespace machida::worker
