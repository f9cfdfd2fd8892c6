#include "server/worker/flow_summary.h"

#include <fmt/core.h>

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "server/base/log.h"
#include "server/checkpoint/epochs.h"
#include "server/flow/late_items.h"
#include "server/flow/pipeline.h"
#include "server/flow/step_counters.h"

namespace machida::worker {
namespace {

struct Counts {
  std::uint64_t inputs = 0, outputs = 0;
};

// Step ids are unique in a dataflow.
std::map<std::string, Counts> counts_of(const metrics::Registry& metrics) {
  std::map<std::string, Counts> counts;
  metrics.each(
      [&counts](const std::string& name, const metrics::Labels& labels, std::uint64_t value) {
        if (name == flow::StepCounters::kInputs) counts[labels[1].second].inputs += value;
        if (name == flow::StepCounters::kOutputs) counts[labels[1].second].outputs += value;
      });
  return counts;
}

}  // namespace

void log_flow_summary(const plan::Dataflow& plan, const metrics::Registry& metrics,
                      FlowFailed failed) {
  std::map<std::string, Counts> counts = counts_of(metrics);
  std::uint64_t written = 0;
  std::string steps;
  for (const plan::StreamSpec& stream : plan.streams)
    for (const plan::FlowStep& step : stream.steps) {
      const std::string& id =
          std::visit([](const auto& spec) -> const std::string& { return spec.id; }, step);
      const Counts& count = counts[id];
      if (std::holds_alternative<plan::OutputSpec>(step)) written += count.inputs;
      if (!std::holds_alternative<plan::RedistributeSpec>(step))
        steps +=
            fmt::format("{}'{}' {} {}", steps.empty() ? "" : ", ", id, count.inputs, count.outputs);
    }
  log::info("items in: {}, written: {}, late items: {}, failures: {}, epochs: {}",
            metrics.total(flow::Pipeline::kCounter), written,
            metrics.total(flow::LateItems::kCounter), failed == FlowFailed::kYes ? 1 : 0,
            metrics.total(checkpoint::Epochs::kEpochs));
  log::info("items in and out of each step: {}", steps);
}

}  // namespace machida::worker
