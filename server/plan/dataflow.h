// A Dataflow as the application defined it, validated and immutable: what its engine runs. Holds
// the user's callables, sources and sinks.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "embed/object.h"
#include "server/plan/keyed_spec.h"

namespace machida::plan {

// A function on one item at a time.
struct OperatorSpec {
  enum class Kind {
    kMap,            // function(item) -> item
    kFilter,         // function(item) -> bool: whether it stays
    kFilterMap,      // function(item) -> item, None drops it
    kFlatMap,        // function(item) -> iterable of items
    kInspect,        // function(item); the item goes on
    kInspectEpoch,   // function(epoch, item)
    kInspectWorker,  // function(worker, item)
    kInspectItem,    // function(item, worker)
  };
  Kind kind{};
  std::string id;
  embed::Object function;
};

// Items go on at a worker chosen evenly.
struct RedistributeSpec {
  std::string id;
};

// Items are written to a bytewax Sink, and go on.
struct OutputSpec {
  std::string id;
  embed::Object sink;
};

using FlowStep = std::variant<OperatorSpec, KeyedSpec, RedistributeSpec, OutputSpec>;

// From one input to the next.
struct StreamSpec {
  std::string input_id;
  embed::Object source;  // a bytewax Source
  std::vector<FlowStep> steps;
};

struct Dataflow {
  bool bare_windows = false;  // windows give accumulators without metadata
  std::vector<StreamSpec> streams;
};

}  // namespace machida::plan
