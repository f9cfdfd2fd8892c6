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
    case StepKind::kWindow:
      return "to_window";
  }
  return "?";
}

const char* windows_of(const WindowSpec& spec) {
  return std::holds_alternative<window::SessionWindows>(spec.windows) ? "session" : "sliding";
}

const char* clock_of(const WindowSpec& spec) { return spec.dt_getter ? "event" : "system"; }

const char* logic_of(const WindowSpec& spec) {
  if (std::holds_alternative<FoldWindowSpec>(spec.logic)) return "fold";
  return std::holds_alternative<ReduceWindowSpec>(spec.logic) ? "reduce" : "collect";
}

const WindowSpec& window_of(const StepSpec& step) {
  return std::get<WindowSpec>(step.window->step);
}

bool has_state(const StepSpec& step) {
  return step.kind == StepKind::kStateful || step.kind == StepKind::kKeyed;
}

std::string keys_of(const StateSpec& state) {
  if (!state.keyed) return "one state object";
  if (!state.keys) return "keys made on demand";
  return fmt::format("{} keys", state.keys->size());
}

std::string source_text(const SourceSpec& source) {
  if (const auto* tcp = std::get_if<TcpSourceSpec>(&source.from))
    return fmt::format("tcp {}, {}-byte header", tcp->address.text(), source.decoder.header_bytes);
  const kafka::ConsumerSettings& settings = std::get<KafkaSourceSpec>(source.from).settings;
  return fmt::format("kafka topic {}, group {}, brokers {}", settings.topic, settings.group,
                     settings.client.brokers);
}

std::string sink_text(const SinkSpec& sink) {
  if (const auto* tcp = std::get_if<TcpSinkSpec>(&sink.to))
    return fmt::format("tcp {}", tcp->address.text());
  if (const auto* storage = std::get_if<StorageSinkSpec>(&sink.to))
    return storage->name.empty() ? storage->type
                                 : fmt::format("{} '{}'", storage->type, storage->name);
  const kafka::ProducerSettings& settings = std::get<KafkaSinkSpec>(sink.to).settings;
  return fmt::format("kafka topic {}, brokers {}", settings.topic, settings.client.brokers);
}

// The branch of a router that leads to a sink; empty without a router.
std::string branch_of(const PipelineSpec& pipeline, std::size_t sink) {
  if (!pipeline.router) return "";
  const auto& branches = pipeline.router->branches;
  return sink < branches.size() ? branches[sink].name : "default";
}

std::string branch_text(const PipelineSpec& pipeline, std::size_t sink) {
  const std::string branch = branch_of(pipeline, sink);
  return branch.empty() ? "" : fmt::format("branch '{}': ", branch);
}

// Properties may hold passwords: their names only.
nlohmann::ordered_json property_names(const kafka::ClientSettings& client) {
  nlohmann::ordered_json names = nlohmann::ordered_json::array();
  for (const auto& [name, value] : client.properties) names.push_back(name);
  return names;
}

nlohmann::ordered_json source_json(const SourceSpec& source) {
  if (const auto* tcp = std::get_if<TcpSourceSpec>(&source.from))
    return {{"kind", "tcp"},
            {"host", tcp->address.host},
            {"port", tcp->address.port},
            {"header_length", source.decoder.header_bytes}};
  const kafka::ConsumerSettings& settings = std::get<KafkaSourceSpec>(source.from).settings;
  return {{"kind", "kafka"},
          {"topic", settings.topic},
          {"brokers", settings.client.brokers},
          {"group", settings.group},
          {"start", settings.start},
          {"properties", property_names(settings.client)}};
}

nlohmann::ordered_json sink_json(const SinkSpec& sink) {
  if (const auto* tcp = std::get_if<TcpSinkSpec>(&sink.to))
    return {{"kind", "tcp"}, {"host", tcp->address.host}, {"port", tcp->address.port}};
  if (const auto* storage = std::get_if<StorageSinkSpec>(&sink.to))
    return {{"kind", "storage"}, {"type", storage->type}, {"name", storage->name}};
  const kafka::ProducerSettings& settings = std::get<KafkaSinkSpec>(sink.to).settings;
  return {{"kind", "kafka"},
          {"topic", settings.topic},
          {"brokers", settings.client.brokers},
          {"max_produce_buffer_ms", settings.linger_ms},
          {"max_message_size", settings.message_bytes_max},
          {"properties", property_names(settings.client)}};
}

}  // namespace

std::string describe_text(const embed::Gil&, const Plan& plan) {
  std::string out = fmt::format("application '{}'\n", plan.name);
  for (const PipelineSpec& pipeline : plan.pipelines) {
    out += fmt::format("  pipeline '{}'\n", pipeline.name);
    out += fmt::format("    source  {}\n", source_text(pipeline.source));
    for (const StepSpec& step : pipeline.steps) {
      out += fmt::format("    step    '{}' ({}{})", step.name, action_of(step),
                         step.outputs == Outputs::kMany ? ", several outputs" : "");
      if (step.kind == StepKind::kWindow) {
        const WindowSpec& window = window_of(step);
        out += fmt::format(", {} windows of each key, {}, {} time", windows_of(window),
                           logic_of(window), clock_of(window));
      }
      if (has_state(step)) {
        const StateSpec& state = plan.states[step.state.value];
        out += fmt::format(", state '{}': {}", state.name, keys_of(state));
      }
      out += "\n";
    }
    for (std::size_t i = 0; i < pipeline.sinks.size(); ++i)
      out +=
          fmt::format("    sink    {}{}\n", branch_text(pipeline, i), sink_text(pipeline.sinks[i]));
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
      if (has_state(step)) entry["state"] = plan.states[step.state.value].name;
      if (step.kind == StepKind::kWindow) {
        const WindowSpec& window = window_of(step);
        entry["window"] = {{"windows", windows_of(window)},
                           {"logic", logic_of(window)},
                           {"clock", clock_of(window)}};
      }
      steps.push_back(entry);
    }
    ordered_json sinks = ordered_json::array();
    for (std::size_t i = 0; i < pipeline.sinks.size(); ++i) {
      ordered_json entry = sink_json(pipeline.sinks[i]);
      if (pipeline.router) entry["branch"] = branch_of(pipeline, i);
      sinks.push_back(entry);
    }
    pipelines.push_back({{"name", pipeline.name},
                         {"source", source_json(pipeline.source)},
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
