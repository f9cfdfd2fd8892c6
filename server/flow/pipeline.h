// One pipeline of this worker: decoder, steps run to completion, encoders. Everything that enters
// has left, was filtered, is a dead letter or is held back by a step when a call returns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/flow/decode_step.h"
#include "server/flow/output_step.h"
#include "server/flow/router.h"
#include "server/flow/step.h"
#include "server/flow/step_counters.h"
#include "server/metrics/counter.h"

namespace machida::flow {

class Pipeline {
 public:
  static constexpr const char* kCounter = "machida_flow_inputs_total";

  // `router`: gives each output to one of `outputs` only; null: all of them get it.
  Pipeline(std::string name, std::unique_ptr<DecodeStep> decoder,
           std::vector<std::unique_ptr<Step>> steps,
           std::vector<std::unique_ptr<OutputStep>> outputs, metrics::Registry& metrics,
           std::unique_ptr<Router> router = nullptr);

  // At most kBatchRecordsMax frames at a time. Throws StopOnError and SystemExit; what was in work
  // is dropped then.
  void run_frames(const embed::Gil&, std::span<const std::string_view> frames);

  // The same with messages.
  void run_messages(const embed::Gil&, std::span<const Message> messages);

  // The decoder wants to see messages whole, headers included.
  bool wants_messages() const noexcept { return decoder_->wants_messages(); }

  // Decoded records, which are taken out of the batch.
  void run_records(const embed::Gil&, Batch& records);

  // No record will come: every step gives what it holds back, in their order, through those behind.
  void on_eof(const embed::Gil&);
  // The same in stages, where records change worker: the steps from `first` (0 to begin with) to
  // the next exchange are ended; what they give goes on through those behind. Returns where the
  // next stage begins, steps() after the last one. Before any worker begins a stage, all have ended
  // the one before and run what they sent each other.
  std::size_t end_stage(const embed::Gil&, std::size_t first);
  std::size_t steps() const noexcept { return steps_.size(); }
  // How often a record may change worker on its way, at most.
  std::uint32_t exchanges() const noexcept;

  // When on_due() has something to do if no record comes before: the earliest of the steps.
  std::optional<std::int64_t> next_due_us() const;
  // The steps that are due do a piece of their work; ask next_due_us() again.
  void on_due(const embed::Gil&, std::int64_t now_us);

  // What its steps remember and a checkpoint keeps, in their order.
  std::vector<EpochStates*> states() const;

  // What other workers sent to running step number `step`; taken out of the batch.
  void run_from(const embed::Gil&, std::size_t step, Batch& records);

  const Place& place_of(std::size_t step) const { return steps_[step]->place(); }
  const std::string& name() const noexcept { return name_; }

 private:
  // `also` may append to what a step has left.
  using Also = std::function<void(Step&, Batch& out)>;
  void run_steps(const embed::Gil&, const Also& also = nullptr, std::size_t first = 0);
  void route(const embed::Gil&);

  std::string name_;
  std::unique_ptr<DecodeStep> decoder_;
  std::vector<std::unique_ptr<Step>> steps_;
  std::vector<std::unique_ptr<OutputStep>> outputs_;
  std::unique_ptr<Router> router_;
  metrics::Counter& inputs_;
  StepCounters counters_;
  std::vector<const TimedWork*> timed_;  // of those steps that have some
  Batch current_, next_;                 // kept for their capacity, empty between calls
  std::vector<Batch> branches_;
};

}  // namespace machida::flow
