// The operators of dataflows that look at one item at a time. Unlike the steps of Wallaroo
// applications they hand None on, except filter_map.
#pragma once

#include <cstdint>

#include "server/flow/step.h"

namespace machida::flow {

// What they share: one function of the user's.
class OperatorStep : public Step {
 public:
  OperatorStep(Place place, DeadLetters& dead_letters, embed::Object function)
      : Step(std::move(place), dead_letters), function_(std::move(function)) {}

 protected:
  // The user's function failed on the item, or returned something wrong: the exception is set.
  void function_failed(const embed::Gil& gil, _object* item, const char* what) {
    failed(gil, item, what, function_.get());
  }

  embed::Object function_;
};

// map: what function(item) returns, whatever it is.
class MapItemStep final : public OperatorStep {
 public:
  using OperatorStep::OperatorStep;
  void run(const embed::Gil&, Batch& in, Batch& out) override;
};

// filter: the items for which function(item), a bool, is True.
class FilterStep final : public OperatorStep {
 public:
  using OperatorStep::OperatorStep;
  void run(const embed::Gil&, Batch& in, Batch& out) override;
};

// filter_map: what function(item) returns, unless it is None.
class FilterMapStep final : public OperatorStep {
 public:
  using OperatorStep::OperatorStep;
  void run(const embed::Gil&, Batch& in, Batch& out) override;
};

// flat_map: what the iterable that function(item) returns gives, one after another.
class FlatMapItemsStep final : public OperatorStep {
 public:
  using OperatorStep::OperatorStep;
  void run(const embed::Gil&, Batch& in, Batch& out) override;

 private:
  void give(const embed::Gil&, _object* item, _object* result, Batch& out);
};

// inspect: function(item); the items go on.
class InspectStep final : public OperatorStep {
 public:
  using OperatorStep::OperatorStep;
  void run(const embed::Gil&, Batch& in, Batch& out) override;
};

// inspect_epoch and inspect_worker: a number beside the item.
class InspectNumberStep final : public OperatorStep {
 public:
  enum class Order { kNumberFirst, kItemFirst };
  // `what` as in note_user_call. `number` outlives the step, and may change between two batches.
  InspectNumberStep(Place place, DeadLetters& dead_letters, embed::Object function,
                    const char* what, const std::uint64_t& number, Order order)
      : OperatorStep(std::move(place), dead_letters, std::move(function)),
        what_(what),
        number_(number),
        order_(order) {}
  void run(const embed::Gil&, Batch& in, Batch& out) override;

 private:
  const char* what_;
  const std::uint64_t& number_;
  Order order_;
};

}  // namespace machida::flow
