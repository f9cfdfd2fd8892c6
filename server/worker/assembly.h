// The plan's states and pipelines, live. What the server runs and what a test runs in process.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "server/base/system_time.h"
#include "server/flow/assignment.h"
#include "server/flow/dead_letters.h"
#include "server/flow/exchange.h"
#include "server/flow/key_owners.h"
#include "server/flow/outlet.h"
#include "server/flow/pipeline.h"
#include "server/flow/router.h"
#include "server/flow/state_table.h"
#include "server/metrics/counter.h"
#include "server/plan/plan.h"
#include "server/wire/framing.h"

namespace machida::worker {

// What happens to records whose partition key is not in the step's list.
enum class UnknownKeyPolicy { kDrop, kCreate };

// What the pipelines' sinks write to, by pipeline and number of the sink; outlives the assembly.
class Outlets {
 public:
  virtual ~Outlets() = default;
  virtual flow::Outlet& of_bytes(std::size_t pipeline, std::size_t sink) = 0;
  virtual flow::MessageOutlet& of_messages(std::size_t pipeline, std::size_t sink) = 0;
  virtual flow::RecordOutlet& of_records(std::size_t pipeline, std::size_t sink) = 0;
};

// Which of the application's workers this is, and how records get to the others.
struct Seat {
  std::uint32_t index = 0;
  std::uint32_t workers = 1;
  flow::Exchange* exchange = nullptr;  // null: there are no others
};

class Assembly {
 public:
  // Makes the states of all listed keys: throws embed::PythonError when a state's constructor does.
  // With several workers, those keys that are this one's.
  Assembly(const embed::Gil&, const plan::Plan& plan, UnknownKeyPolicy unknown_keys,
           flow::DeadLetters& dead_letters, metrics::Registry& metrics, Outlets& outlets,
           const SystemTime& time, Seat seat = {});

  // In the plan's order.
  std::vector<std::unique_ptr<flow::Pipeline>>& pipelines() noexcept { return pipelines_; }
  const std::vector<std::unique_ptr<flow::Pipeline>>& pipelines() const noexcept {
    return pipelines_;
  }
  const std::vector<std::unique_ptr<flow::StateTable>>& states() const noexcept { return states_; }
  // What the windows of its steps hold.
  const std::vector<flow::EpochStates*>& windows() const noexcept { return windows_; }
  // How often a record may change worker on its way, at most.
  std::uint32_t stages() const noexcept { return stages_; }
  // Whether the key of a state is this worker's. Throws PythonError when it can't be hashed.
  bool owns(const embed::Gil&, std::size_t state, _object* key) const;
  // The same by the state's name; one that the application does not have is anybody's.
  bool owns(const embed::Gil&, std::string_view state, _object* key) const;

 private:
  std::unique_ptr<flow::Pipeline> make_pipeline(const embed::Gil&, const plan::PipelineSpec& spec,
                                                std::size_t index, Outlets& outlets);
  std::unique_ptr<flow::OutputStep> make_output(const embed::Gil&, const plan::PipelineSpec& spec,
                                                std::size_t index, std::size_t sink,
                                                Outlets& outlets);
  std::unique_ptr<flow::Router> make_router(const embed::Gil&, const plan::PipelineSpec& spec);
  std::unique_ptr<flow::Step> make_step(const embed::Gil&, const plan::StepSpec& spec,
                                        flow::Place place);
  void add_window(const embed::Gil&, const plan::StepSpec& spec, const flow::Place& place,
                  std::vector<std::unique_ptr<flow::Step>>& steps);
  void make_states(const embed::Gil&, const plan::StateSpec& spec, UnknownKeyPolicy unknown_keys);
  // Null: the step runs where its records are.
  std::unique_ptr<flow::Assignment> make_assignment(const embed::Gil&,
                                                    const plan::StepSpec& spec) const;

  Seat seat_;
  std::uint32_t stages_ = 0;
  flow::DeadLetters& dead_letters_;
  metrics::Registry& metrics_;
  const SystemTime& time_;
  std::vector<std::unique_ptr<flow::StateTable>> states_;
  std::vector<std::shared_ptr<const flow::KeyOwners>> owners_;  // like states_; null: unkeyed
  std::vector<flow::EpochStates*> windows_;
  std::shared_ptr<const flow::KeyOwners> window_owners_;
  std::vector<std::unique_ptr<flow::Pipeline>> pipelines_;
};

// How the bytes of a pipeline's source are cut; the application's payload_length() is called where
// the engine can't read the header itself (under the lock, taken there).
wire::Framing framing_of(const embed::Gil&, const plan::DecoderSpec& decoder,
                         std::size_t frame_bytes_max);

}  // namespace machida::worker
