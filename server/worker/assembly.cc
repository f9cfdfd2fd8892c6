#include "server/worker/assembly.h"

#include <algorithm>

#include "embed/error.h"
#include "embed/value.h"
#include "server/flow/encode_step.h"
#include "server/flow/exchange_step.h"
#include "server/flow/key_by_step.h"
#include "server/flow/map_step.h"
#include "server/flow/state_step.h"
#include "server/worker/keyed_steps.h"

namespace machida::worker {
Assembly::Assembly(const embed::Gil& gil, const plan::Plan& plan, UnknownKeyPolicy unknown_keys,
                   flow::DeadLetters& dead_letters, metrics::Registry& metrics, Outlets& outlets,
                   const SystemTime& time, Seat seat)
    : seat_(seat),
      dead_letters_(dead_letters),
      metrics_(metrics),
      time_(time),
      window_owners_(std::make_shared<const flow::KeyOwners>(gil, seat.workers, nullptr)) {
  for (const plan::StateSpec& spec : plan.states) make_states(gil, spec, unknown_keys);
  for (std::size_t i = 0; i < plan.pipelines.size(); ++i)
    pipelines_.push_back(make_pipeline(gil, plan.pipelines[i], i, outlets));
}

void Assembly::make_states(const embed::Gil& gil, const plan::StateSpec& spec,
                           UnknownKeyPolicy unknown_keys) {
  const bool closed = !spec.keyed || (spec.keys && unknown_keys == UnknownKeyPolicy::kDrop);
  const std::size_t number = states_.size();
  flow::StateTable& table = *states_.emplace_back(std::make_unique<flow::StateTable>(
      gil, spec.name, spec.build.clone(gil),
      closed ? flow::UnlistedKeys::kUnknown : flow::UnlistedKeys::kCreate));
  const std::vector<embed::Object>* listed = spec.keys ? &*spec.keys : nullptr;
  owners_.push_back(spec.keyed ? std::make_shared<const flow::KeyOwners>(gil, seat_.workers, listed)
                               : nullptr);
  std::vector<embed::Object> own;
  if (!spec.keyed) {
    embed::Object none = embed::none(gil);
    if (owns(gil, number, none.get())) own.push_back(std::move(none));
  } else if (listed) {
    for (const embed::Object& key : *listed)
      if (owns(gil, number, key.get())) own.push_back(key.clone(gil));
  }
  table.create(gil, own);
}

bool Assembly::owns(const embed::Gil& gil, std::size_t state, _object* key) const {
  if (seat_.workers == 1) return true;
  if (!owners_[state])
    return flow::owner_of_name(states_[state]->name(), seat_.workers) == seat_.index;
  const std::uint32_t owner = owners_[state]->owner_of(gil, key);
  if (owner == flow::KeyOwners::kNobody) embed::throw_pending(gil);
  return owner == seat_.index;
}

bool Assembly::owns(const embed::Gil& gil, std::string_view state, _object* key) const {
  for (std::size_t i = 0; i < states_.size(); ++i)
    if (states_[i]->name() == state) return owns(gil, i, key);
  for (const flow::EpochStates* windows : windows_) {
    if (windows->name() != state) continue;
    const std::uint32_t owner = window_owners_->owner_of(gil, key);
    if (owner == flow::KeyOwners::kNobody) embed::throw_pending(gil);
    return owner == seat_.index;
  }
  return true;
}

std::unique_ptr<flow::Assignment> Assembly::make_assignment(const embed::Gil& gil,
                                                            const plan::StepSpec& spec) const {
  if (!seat_.exchange) return nullptr;
  switch (spec.kind) {
    case plan::StepKind::kStateless:
      if (!spec.parallel) return nullptr;
      return std::make_unique<flow::RoundRobin>(seat_.index, seat_.workers);
    case plan::StepKind::kStateful:
      return std::make_unique<flow::OneWorker>(
          flow::owner_of_name(states_[spec.state.value]->name(), seat_.workers));
    case plan::StepKind::kKeyed:
      return std::make_unique<flow::ByKey>(spec.partition.clone(gil), owners_[spec.state.value]);
    case plan::StepKind::kWindow:
      return std::make_unique<flow::ByKey>(spec.partition.clone(gil), window_owners_);
  }
  return nullptr;
}

std::unique_ptr<flow::Pipeline> Assembly::make_pipeline(const embed::Gil& gil,
                                                        const plan::PipelineSpec& spec,
                                                        std::size_t index, Outlets& outlets) {
  const plan::DecoderSpec& decoding = spec.source.decoder;
  auto decoder = std::make_unique<flow::DecodeStep>(flow::Place{spec.name, "decoder"},
                                                    dead_letters_, decoding.decode.clone(gil),
                                                    decoding.message_class.clone(gil));
  std::vector<std::unique_ptr<flow::Step>> steps;
  std::uint32_t stages = 0;
  for (const plan::StepSpec& step : spec.steps) {
    const flow::Place place{spec.name, step.name};
    if (std::unique_ptr<flow::Assignment> assignment = make_assignment(gil, step)) {
      ++stages;
      steps.push_back(std::make_unique<flow::ExchangeStep>(
          place, dead_letters_,
          flow::ExchangeStep::Parts{
              .assignment = std::move(assignment),
              .exchange = *seat_.exchange,
              .next = {static_cast<std::uint32_t>(index),
                       static_cast<std::uint32_t>(steps.size() + 1)},
              .own = seat_.index,
              .workers = seat_.workers,
              .exchanged = metrics_.counter(flow::ExchangeStep::kCounter,
                                            {{"pipeline", spec.name}, {"step", step.name}})}));
    }
    if (step.kind == plan::StepKind::kWindow)
      add_window(gil, step, place, steps);
    else
      steps.push_back(make_step(gil, step, place));
  }
  stages_ = std::max(stages_, stages);
  std::vector<std::unique_ptr<flow::OutputStep>> sinks;
  for (std::size_t i = 0; i < spec.sinks.size(); ++i)
    sinks.push_back(make_output(gil, spec, index, i, outlets));
  return std::make_unique<flow::Pipeline>(spec.name, std::move(decoder), std::move(steps),
                                          std::move(sinks), metrics_, make_router(gil, spec));
}

void Assembly::add_window(const embed::Gil& gil, const plan::StepSpec& spec,
                          const flow::Place& place,
                          std::vector<std::unique_ptr<flow::Step>>& steps) {
  steps.push_back(
      std::make_unique<flow::KeyByStep>(place, dead_letters_, spec.partition.clone(gil)));
  steps.push_back(make_keyed_step(gil, *spec.window, place.pipeline,
                                  {dead_letters_, time_, metrics_, spec.metadata_class}));
  windows_.push_back(steps.back()->states());
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
