#include "server/flow/step_counters.h"

namespace machida::flow {

StepCounters::StepCounters(const std::string& pipeline,
                           const std::vector<std::unique_ptr<Step>>& steps,
                           metrics::Registry& metrics)
    : steps_(steps.size()) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!steps[i] || steps[i]->exchanges()) continue;
    const std::string& name = steps[i]->place().step;
    const auto same_place = [&](std::size_t other) {
      return other < steps.size() && steps[other] && !steps[other]->exchanges() &&
             steps[other]->place().step == name;
    };
    const metrics::Labels labels{{"pipeline", pipeline}, {"step", name}};
    if (i == 0 || !same_place(i - 1)) steps_[i].inputs = &metrics.counter(kInputs, labels);
    if (!same_place(i + 1)) steps_[i].outputs = &metrics.counter(kOutputs, labels);
  }
}

}  // namespace machida::flow
