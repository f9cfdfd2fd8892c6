#include "server/plan/describe.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "embed/value.h"

namespace machida::plan {
namespace {

const char* action_of(const StepSpec& step) {
  switch (step.kind) {
    case StepKind::kStateless:
      return step.parallel ? "to_parallel" : "to";
    case StepKind::kStateful:
      return "to_stateful";
    case StepKind::kKeyed:
      return "to_state_partition";
  }
  return "?";
}

std::string keys_of(const StateSpec& state) {
  if (!state.keyed) return "one state object";
  if (!state.keys) return "keys made on demand";
  return fmt::format("{} keys", state.keys->size());
}

}  // namespace

std::string describe_text(const embed::Gil&, const Plan& plan) {
  std::string out = fmt::format("application '{}'\n", plan.name);
  for (const PipelineSpec& pipeline : plan.pipelines) {
    out += fmt::format("  pipeline '{}'\n", pipeline.name);
    out += fmt::format("    source  tcp {}, {}-byte header\n", pipeline.source.address.text(),
                       pipeline.source.decoder.header_bytes);
    for (const StepSpec& step : pipeline.steps) {
      out += fmt::format("    step    '{}' ({}{})", step.name, action_of(step),
                         step.outputs == Outputs::kMany ? ", several outputs" : "");
      if (step.kind != StepKind::kStateless) {
        const StateSpec& state = plan.states[step.state.value];
        out += fmt::format(", state '{}': {}", state.name, keys_of(state));
      }
      out += "\n";
    }
    for (const SinkSpec& sink : pipeline.sinks)
      out += fmt::format("    sink    tcp {}\n", sink.address.text());
    if (pipeline.sinks.empty()) out += "    no sink\n";
  }
  return out;
}

std::string describe_json(const embed::Gil& gil, const Plan& plan) {
  using nlohmann::ordered_json;
  ordered_json pipelines = ordered_json::array();
  for (const PipelineSpec& pipeline : plan.pipelines) {
    ordered_json steps = ordered_json::array();
    for (const StepSpec& step : pipeline.steps) {
      ordered_json entry = {{"name", step.name},
                            {"action", action_of(step)},
                            {"outputs", step.outputs == Outputs::kMany ? "many" : "one"}};
      if (step.kind != StepKind::kStateless) entry["state"] = plan.states[step.state.value].name;
      steps.push_back(entry);
    }
    ordered_json sinks = ordered_json::array();
    for (const SinkSpec& sink : pipeline.sinks)
      sinks.push_back({{"kind", "tcp"}, {"host", sink.address.host}, {"port", sink.address.port}});
    const SourceSpec& source = pipeline.source;
    pipelines.push_back({{"name", pipeline.name},
                         {"source",
                          {{"kind", "tcp"},
                           {"host", source.address.host},
                           {"port", source.address.port},
                           {"header_length", source.decoder.header_bytes}}},
                         {"steps", steps},
                         {"sinks", sinks}});
  }
  ordered_json states = ordered_json::array();
  for (const StateSpec& state : plan.states) {
    ordered_json keys = nullptr;
    if (state.keys) {
      keys = ordered_json::array();
      for (const embed::Object& key : *state.keys) keys.push_back(embed::repr(gil, key, 200));
    }
    states.push_back({{"name", state.name}, {"keyed", state.keyed}, {"keys", keys}});
  }
  const ordered_json whole = {
      {"application", plan.name}, {"pipelines", pipelines}, {"states", states}};
  return whole.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace machida::plan
