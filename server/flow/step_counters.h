// How many records each step of a pipeline took and left. A step that sends records to other
// workers is not counted, the step behind it is, where they arrive; steps in a row with one place
// count as one. Owned by the pipeline; worker's thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "server/flow/step.h"
#include "server/metrics/counter.h"

namespace machida::flow {

class StepCounters {
 public:
  static constexpr const char* kInputs = "machida_flow_step_inputs_total";
  static constexpr const char* kOutputs = "machida_flow_step_outputs_total";

  StepCounters(const std::string& pipeline, const std::vector<std::unique_ptr<Step>>& steps,
               metrics::Registry& metrics);

  // The step with this number took `inputs` and left `outputs`.
  void ran(std::size_t step, std::size_t inputs, std::size_t outputs) noexcept {
    if (metrics::Counter* counter = steps_[step].inputs) counter->add(inputs);
    if (metrics::Counter* counter = steps_[step].outputs) counter->add(outputs);
  }

 private:
  struct Counters {
    metrics::Counter* inputs = nullptr;
    metrics::Counter* outputs = nullptr;
  };
  std::vector<Counters> steps_;
};

}  // namespace machida::flow
