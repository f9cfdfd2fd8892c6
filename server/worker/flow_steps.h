// Makes the live steps of a stream of a dataflow, with exchanges where items have to change worker.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "server/flow/assignment.h"
#include "server/flow/step.h"
#include "server/plan/dataflow.h"
#include "server/worker/assembly.h"
#include "server/worker/keyed_steps.h"

namespace machida::worker {

// What the steps need of the worker that runs them; outlives them.
struct FlowSurroundings {
  KeyedSurroundings keyed;
  const std::uint64_t& epoch;         // that items are in
  const std::uint64_t& worker_index;  // seat.index, for inspect_worker
  Seat seat;
  std::uint32_t pipeline = 0;  // the stream's index
  // The step that writes to a sink, and which worker writes an item (null: the one that has it).
  std::function<std::unique_ptr<flow::Step>(const plan::OutputSpec&)> make_output;
  std::function<std::unique_ptr<flow::Assignment>(const plan::OutputSpec&)> assign_output;
};

// Appends them to `steps`, where those stay that were made before one threw.
void make_flow_steps(const embed::Gil&, const plan::StreamSpec& stream,
                     const FlowSurroundings& around,
                     std::vector<std::unique_ptr<flow::Step>>& steps);

}  // namespace machida::worker
