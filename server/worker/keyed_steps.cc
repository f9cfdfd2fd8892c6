#include "server/worker/keyed_steps.h"

#include <utility>
#include <variant>

#include "server/flow/batch_step.h"
#include "server/flow/reduce_step.h"
#include "server/flow/stateful_map_step.h"
#include "server/flow/window_step.h"

namespace machida::worker {
namespace {

using embed::Gil;
using embed::Object;

flow::KeyedBuilder builder_of(const Gil& gil, const plan::BuilderSpec& spec) {
  return {spec.function.clone(gil),
          spec.takes_key ? flow::BuilderTakes::kKey : flow::BuilderTakes::kNothing};
}

std::unique_ptr<flow::WindowLogic> logic_of(const Gil& gil, const plan::WindowSpec& spec) {
  if (const auto* reduce = std::get_if<plan::ReduceWindowSpec>(&spec.logic))
    return flow::reduce_logic(reduce->reducer.clone(gil));
  if (const auto* fold = std::get_if<plan::FoldWindowSpec>(&spec.logic)) {
    const bool sessions = std::holds_alternative<window::SessionWindows>(spec.windows);
    return flow::fold_logic(
        builder_of(gil, fold->builder), fold->folder.clone(gil),
        sessions ? flow::FoldedWindows::kMayMerge : flow::FoldedWindows::kStayApart);
  }
  return flow::collect_logic();
}

class Maker {
 public:
  Maker(const Gil& gil, flow::Place place, const KeyedSurroundings& around)
      : gil_(gil), place_(std::move(place)), around_(around) {}

  std::unique_ptr<flow::KeyedStep> operator()(const plan::BatchSpec& spec) const {
    return std::make_unique<flow::BatchStep>(
        place_, around_.dead_letters,
        flow::BatchStep::Parts{spec.max_size, spec.timeout_us, around_.time});
  }
  std::unique_ptr<flow::KeyedStep> operator()(const plan::StatefulMapSpec& spec) const {
    return std::make_unique<flow::StatefulMapStep>(
        place_, around_.dead_letters,
        flow::StatefulMapStep::Parts{builder_of(gil_, spec.builder), spec.mapper.clone(gil_)});
  }
  std::unique_ptr<flow::KeyedStep> operator()(const plan::ReduceSpec& spec) const {
    return std::make_unique<flow::ReduceStep>(
        place_, around_.dead_letters,
        flow::ReduceStep::Parts{spec.reducer.clone(gil_), spec.is_complete.clone(gil_)});
  }
  std::unique_ptr<flow::KeyedStep> operator()(const plan::WindowSpec& spec) const {
    return std::make_unique<flow::WindowStep>(
        place_, around_.dead_letters,
        flow::WindowStep::Parts{
            // As in the original: an ever-growing key space must not fill the memory.
            .windower = {spec.clock, spec.windows, window::IdleKeys::kForget},
            .dt_getter = clone(spec.dt_getter),
            .metadata_class = clone(around_.metadata_class),
            .logic = logic_of(gil_, spec),
            .time = around_.time},
        around_.metrics);
  }

 private:
  Object clone(const Object& object) const { return object ? object.clone(gil_) : Object(); }

  const Gil& gil_;
  flow::Place place_;
  const KeyedSurroundings& around_;
};

}  // namespace

std::unique_ptr<flow::KeyedStep> make_keyed_step(const Gil& gil, const plan::KeyedSpec& spec,
                                                 const std::string& flow,
                                                 const KeyedSurroundings& around) {
  return std::visit(Maker(gil, {flow, spec.id}, around), spec.step);
}

}  // namespace machida::worker
