#include "server/worker/assembly.h"

#include "embed/error.h"
#include "embed/value.h"
#include "server/flow/encode_step.h"
#include "server/flow/map_step.h"
#include "server/flow/state_step.h"

namespace machida::worker {
namespace {

std::unique_ptr<flow::StateTable> make_states(const embed::Gil& gil, const plan::StateSpec& spec,
                                              UnknownKeyPolicy unknown_keys) {
  const bool closed = !spec.keyed || (spec.keys && unknown_keys == UnknownKeyPolicy::kDrop);
  auto table = std::make_unique<flow::StateTable>(
      gil, spec.name, spec.build.clone(gil),
      closed ? flow::UnlistedKeys::kUnknown : flow::UnlistedKeys::kCreate);
  if (!spec.keyed) {
    std::vector<embed::Object> only;
    only.push_back(embed::none(gil));
    table->create(gil, only);
  } else if (spec.keys) {
    table->create(gil, *spec.keys);
  }
  return table;
}

}  // namespace

Assembly::Assembly(const embed::Gil& gil, const plan::Plan& plan, UnknownKeyPolicy unknown_keys,
                   flow::DeadLetters& dead_letters, metrics::Registry& metrics, Outlets& outlets)
    : dead_letters_(dead_letters), metrics_(metrics) {
  for (const plan::StateSpec& spec : plan.states)
    states_.push_back(make_states(gil, spec, unknown_keys));
  for (std::size_t i = 0; i < plan.pipelines.size(); ++i)
    pipelines_.push_back(make_pipeline(gil, plan.pipelines[i], i, outlets));
}

std::unique_ptr<flow::Pipeline> Assembly::make_pipeline(const embed::Gil& gil,
                                                        const plan::PipelineSpec& spec,
                                                        std::size_t index, Outlets& outlets) {
  const plan::DecoderSpec& decoding = spec.source.decoder;
  auto decoder = std::make_unique<flow::DecodeStep>(flow::Place{spec.name, "decoder"},
                                                    dead_letters_, decoding.decode.clone(gil),
                                                    decoding.message_class.clone(gil));
  std::vector<std::unique_ptr<flow::Step>> steps;
  for (const plan::StepSpec& step : spec.steps)
    steps.push_back(make_step(gil, step, flow::Place{spec.name, step.name}));
  std::vector<std::unique_ptr<flow::OutputStep>> sinks;
  for (std::size_t i = 0; i < spec.sinks.size(); ++i)
    sinks.push_back(make_output(gil, spec, index, i, outlets));
  return std::make_unique<flow::Pipeline>(spec.name, std::move(decoder), std::move(steps),
                                          std::move(sinks), metrics_, make_router(gil, spec));
}

std::unique_ptr<flow::Router> Assembly::make_router(const embed::Gil& gil,
                                                    const plan::PipelineSpec& spec) {
  if (!spec.router) return nullptr;
  std::vector<embed::Object> predicates;
  for (const plan::RouterSpec::Branch& branch : spec.router->branches)
    predicates.push_back(branch.predicate.clone(gil));
  const bool has_default = spec.sinks.size() > predicates.size();
  return std::make_unique<flow::Router>(flow::Place{spec.name, "router"}, dead_letters_,
                                        std::move(predicates), has_default);
}

std::unique_ptr<flow::OutputStep> Assembly::make_output(const embed::Gil& gil,
                                                        const plan::PipelineSpec& spec,
                                                        std::size_t index, std::size_t sink,
                                                        Outlets& outlets) {
  flow::Place place{spec.name, "encoder"};
  metrics::Counter& outputs = metrics_.counter(
      flow::OutputStep::kCounter, {{"pipeline", spec.name}, {"sink", std::to_string(sink)}});
  if (std::holds_alternative<plan::StorageSinkSpec>(spec.sinks[sink].to))
    return std::make_unique<flow::RecordStep>(outputs, outlets.of_records(index, sink));
  embed::Object encode = spec.sinks[sink].encode.clone(gil);
  if (std::holds_alternative<plan::KafkaSinkSpec>(spec.sinks[sink].to))
    return std::make_unique<flow::MessageEncodeStep>(std::move(place), dead_letters_,
                                                     std::move(encode), outputs,
                                                     outlets.of_messages(index, sink));
  return std::make_unique<flow::BytesEncodeStep>(std::move(place), dead_letters_, std::move(encode),
                                                 outputs, outlets.of_bytes(index, sink));
}

std::unique_ptr<flow::Step> Assembly::make_step(const embed::Gil& gil, const plan::StepSpec& spec,
                                                flow::Place place) {
  const bool many = spec.outputs == plan::Outputs::kMany;
  embed::Object compute = spec.compute.clone(gil);
  if (spec.kind == plan::StepKind::kStateless) {
    if (many)
      return std::make_unique<flow::FlatMapStep>(std::move(place), dead_letters_,
                                                 std::move(compute));
    return std::make_unique<flow::MapStep>(std::move(place), dead_letters_, std::move(compute));
  }
  flow::StateTable& states = *states_[spec.state.value];
  flow::UnknownKeys unknown(place, states.name(), metrics_);
  return std::make_unique<flow::StateStep>(
      std::move(place), dead_letters_,
      flow::StateStep::Parts{.compute = std::move(compute),
                             .partition = spec.partition.clone(gil),
                             .shape = many ? flow::ResultShape::kMany : flow::ResultShape::kOne,
                             .states = states,
                             .unknown_keys = std::move(unknown)});
}

wire::Framing framing_of(const embed::Gil& gil, const plan::DecoderSpec& decoder,
                         std::size_t frame_bytes_max) {
  wire::Framing framing;
  framing.header_bytes = decoder.header_bytes;
  framing.frame_bytes_max = frame_bytes_max;
  framing.length_format = decoder.length_format;
  if (framing.length_format) return framing;
  const auto function = std::make_shared<embed::Object>(decoder.payload_length.clone(gil));
  framing.length_function = [function](std::string_view header) -> Result<std::int64_t> {
    const embed::GilLock gil;
    try {
      return embed::integer(gil, embed::call(gil, *function, embed::make_bytes(gil, header)));
    } catch (const embed::PythonError& error) {
      return Error{std::string("the decoder's payload_length() failed: ") + error.what()};
    }
  };
  return framing;
}

}  // namespace machida::worker
