#include "server/worker/flow_steps.h"

#include <type_traits>
#include <utility>
#include <variant>

#include "server/flow/exchange_step.h"
#include "server/flow/operator_steps.h"

namespace machida::worker {
namespace {

using embed::Gil;
using embed::Object;
using Kind = plan::OperatorSpec::Kind;

// Appends the steps of one stream, one after another.
class Maker {
 public:
  Maker(const Gil& gil, const plan::StreamSpec& stream, const FlowSurroundings& around,
        std::vector<std::unique_ptr<flow::Step>>& steps)
      : gil_(gil), pipeline_(stream.input_id), around_(around), steps_(steps) {}

  void operator()(const plan::OperatorSpec& spec) {
    steps_.push_back(make_operator(spec, place_of(spec.id), spec.function.clone(gil_)));
  }
  void operator()(const plan::KeyedSpec& spec) {
    if (around_.seat.exchange)
      exchange(spec.id,
               std::make_unique<flow::ByItemKey>(
                   around_.seat.index, flow::KeyOwners(gil_, around_.seat.workers, nullptr)));
    steps_.push_back(make_keyed_step(gil_, spec, pipeline_, around_.keyed));
  }
  void operator()(const plan::RedistributeSpec& spec) {
    if (around_.seat.exchange)
      exchange(spec.id,
               std::make_unique<flow::RoundRobin>(around_.seat.index, around_.seat.workers));
  }
  void operator()(const plan::OutputSpec& spec) {
    if (around_.seat.exchange)
      if (std::unique_ptr<flow::Assignment> assignment = around_.assign_output(spec))
        exchange(spec.id, std::move(assignment));
    steps_.push_back(around_.make_output(spec));
  }

 private:
  flow::Place place_of(const std::string& id) const { return {pipeline_, id}; }

  std::unique_ptr<flow::Step> make_operator(const plan::OperatorSpec& spec, flow::Place place,
                                            Object function) const {
    flow::DeadLetters& dead_letters = around_.keyed.dead_letters;
    using Order = flow::InspectNumberStep::Order;
    const auto make = [&]<class T>(std::type_identity<T>) {
      return std::make_unique<T>(std::move(place), dead_letters, std::move(function));
    };
    const auto with_number = [&](const char* what, const std::uint64_t& number, Order order) {
      return std::make_unique<flow::InspectNumberStep>(std::move(place), dead_letters,
                                                       std::move(function), what, number, order);
    };
    switch (spec.kind) {
      case Kind::kMap:
        return make(std::type_identity<flow::MapItemStep>());
      case Kind::kFilter:
        return make(std::type_identity<flow::FilterStep>());
      case Kind::kFilterMap:
        return make(std::type_identity<flow::FilterMapStep>());
      case Kind::kFlatMap:
        return make(std::type_identity<flow::FlatMapItemsStep>());
      case Kind::kInspect:
        return make(std::type_identity<flow::InspectStep>());
      case Kind::kInspectEpoch:
        return with_number("error calling `inspect_epoch` inspector", around_.epoch,
                           Order::kNumberFirst);
      case Kind::kInspectWorker:
      case Kind::kInspectItem:
        break;
    }
    return with_number("error calling `inspect_worker` inspector", around_.worker_index,
                       spec.kind == Kind::kInspectItem ? Order::kItemFirst : Order::kNumberFirst);
  }

  // In front of the step that comes next, whose id it has.
  void exchange(const std::string& id, std::unique_ptr<flow::Assignment> assignment) {
    steps_.push_back(std::make_unique<flow::ExchangeStep>(
        place_of(id), around_.keyed.dead_letters,
        flow::ExchangeStep::Parts{
            .assignment = std::move(assignment),
            .exchange = *around_.seat.exchange,
            .next = {around_.pipeline, static_cast<std::uint32_t>(steps_.size() + 1)},
            .own = around_.seat.index,
            .workers = around_.seat.workers,
            .exchanged = around_.keyed.metrics.counter(flow::ExchangeStep::kCounter,
                                                       {{"pipeline", pipeline_}, {"step", id}})}));
  }

  const Gil& gil_;
  std::string pipeline_;
  const FlowSurroundings& around_;
  std::vector<std::unique_ptr<flow::Step>>& steps_;
};

}  // namespace

void make_flow_steps(const Gil& gil, const plan::StreamSpec& stream, const FlowSurroundings& around,
                     std::vector<std::unique_ptr<flow::Step>>& steps) {
  Maker maker(gil, stream, around, steps);
  for (const plan::FlowStep& step : stream.steps) std::visit(maker, step);
}

}  // namespace machida::worker
