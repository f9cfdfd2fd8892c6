#include "server/plan/whole_plan.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <variant>

namespace machida::plan {
namespace {

std::string place_of(const PipelineSpec& pipeline) { return "pipeline '" + pipeline.name + "'"; }

void check_consumers(Plan& plan, Mistakes& mistakes) {
  for (PipelineSpec& pipeline : plan.pipelines) {
    auto* kafka = std::get_if<KafkaSourceSpec>(&pipeline.source.from);
    if (!kafka || kafka->settings.start.empty()) continue;
    if (kafka->settings.group.empty()) kafka->settings.group = plan.name;
    const std::string place = place_of(pipeline) + ", source: ";
    if (kafka->settings.group.empty())
      mistakes.add(place + "a Kafka source needs a group, or the application a name");
    for (const std::string& mistake : kafka::mistakes_in(kafka->settings))
      mistakes.add(place + mistake);
  }
}

// What windows hold is stored under the step's name.
void check_windows(const Plan& plan, Mistakes& mistakes) {
  std::unordered_set<std::string> names;
  for (const StateSpec& state : plan.states) names.insert(state.name);
  for (const PipelineSpec& pipeline : plan.pipelines)
    for (const StepSpec& step : pipeline.steps)
      if (step.kind == StepKind::kWindow && !names.insert(step.name).second)
        mistakes.add(place_of(pipeline) + ", step '" + step.name +
                     "': another to_window() or a state has this name, too");
}

void check_sinks(const Plan& plan, Mistakes& mistakes) {
  if (plan.pipelines.empty())
    return mistakes.add("You must provide at least 1 pipeline in an application.");
  if (std::all_of(plan.pipelines.begin(), plan.pipelines.end(),
                  [](const PipelineSpec& pipeline) { return pipeline.sinks.empty(); }))
    mistakes.add("At least one pipeline must define a sink");
}

}  // namespace

void check_whole(Plan& plan, Mistakes& mistakes) {
  check_consumers(plan, mistakes);
  check_windows(plan, mistakes);
  check_sinks(plan, mistakes);
}

}  // namespace machida::plan
