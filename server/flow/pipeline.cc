#include "server/flow/pipeline.h"

#include <algorithm>

#include "server/base/check.h"
#include "server/base/earliest.h"

namespace machida::flow {
namespace {

// Leaves both batches empty, also when user code ends the run.
class Emptied {
 public:
  Emptied(const embed::Gil& gil, Batch& a, Batch& b) : gil_(gil), a_(a), b_(b) {}
  ~Emptied() {
    a_.clear(gil_);
    b_.clear(gil_);
  }

 private:
  const embed::Gil& gil_;
  Batch &a_, &b_;
};

// The same for the batches of a router's branches.
class EmptiedBranches {
 public:
  EmptiedBranches(const embed::Gil& gil, std::vector<Batch>& branches)
      : gil_(gil), branches_(branches) {}
  ~EmptiedBranches() {
    for (Batch& branch : branches_) branch.clear(gil_);
  }

 private:
  const embed::Gil& gil_;
  std::vector<Batch>& branches_;
};

}  // namespace

Pipeline::Pipeline(std::string name, std::unique_ptr<DecodeStep> decoder,
                   std::vector<std::unique_ptr<Step>> steps,
                   std::vector<std::unique_ptr<OutputStep>> outputs, metrics::Registry& metrics,
                   std::unique_ptr<Router> router)
    : name_(std::move(name)),
      decoder_(std::move(decoder)),
      steps_(std::move(steps)),
      outputs_(std::move(outputs)),
      router_(std::move(router)),
      inputs_(metrics.counter(kCounter, {{"pipeline", name_}})),
      counters_(name_, steps_, metrics),
      branches_(router_ ? router_->branches() : 0) {
  for (const std::unique_ptr<Step>& step : steps_)
    if (const TimedWork* timed = step->timed()) timed_.push_back(timed);
}

void Pipeline::run_frames(const embed::Gil& gil, std::span<const std::string_view> frames) {
  const Emptied emptied(gil, current_, next_);
  inputs_.add(frames.size());
  decoder_->run_frames(gil, frames, current_);
  run_steps(gil);
}

void Pipeline::run_messages(const embed::Gil& gil, std::span<const Message> messages) {
  const Emptied emptied(gil, current_, next_);
  inputs_.add(messages.size());
  decoder_->run_messages(gil, messages, current_);
  run_steps(gil);
}

void Pipeline::run_records(const embed::Gil& gil, Batch& records) {
  const Emptied emptied(gil, current_, next_);
  inputs_.add(records.size());
  current_.swap(records);
  run_steps(gil);
}

void Pipeline::run_from(const embed::Gil& gil, std::size_t step, Batch& records) {
  MACHIDA_CHECK(step < steps_.size(), "records for a step that there is not");
  const Emptied emptied(gil, current_, next_);
  current_.swap(records);
  run_steps(gil, nullptr, step);
}

void Pipeline::on_eof(const embed::Gil& gil) {
  for (std::size_t first = 0; first < steps_.size();) first = end_stage(gil, first);
}

std::size_t Pipeline::end_stage(const embed::Gil& gil, std::size_t first) {
  const Emptied emptied(gil, current_, next_);
  std::size_t end = first;
  while (end < steps_.size() && !steps_[end]->exchanges()) ++end;
  const Step* const next = end < steps_.size() ? steps_[end].get() : nullptr;
  bool ended = false;  // the steps of this stage
  run_steps(
      gil,
      [&](Step& step, Batch& out) {
        ended = ended || &step == next;
        if (!ended) step.on_eof(gil, out);
      },
      first);
  return std::min(end + 1, steps_.size());
}

std::uint32_t Pipeline::exchanges() const noexcept {
  std::uint32_t count = 0;
  for (const std::unique_ptr<Step>& step : steps_)
    if (step->exchanges()) ++count;
  return count;
}

std::optional<std::int64_t> Pipeline::next_due_us() const {
  std::optional<std::int64_t> due_us;
  for (const TimedWork* timed : timed_) due_us = earliest(due_us, timed->next_due_us());
  return due_us;
}

void Pipeline::on_due(const embed::Gil& gil, std::int64_t now_us) {
  const Emptied emptied(gil, current_, next_);
  run_steps(gil, [&gil, now_us](Step& step, Batch& out) {
    TimedWork* const timed = step.timed();
    const std::optional<std::int64_t> due_us = timed ? timed->next_due_us() : std::nullopt;
    if (due_us && *due_us <= now_us) timed->on_due(gil, now_us, out);
  });
}

std::vector<EpochStates*> Pipeline::states() const {
  std::vector<EpochStates*> all;
  for (const std::unique_ptr<Step>& step : steps_)
    if (EpochStates* states = step->states()) all.push_back(states);
  return all;
}

void Pipeline::run_steps(const embed::Gil& gil, const Also& also, std::size_t first) {
  for (std::size_t i = first; i < steps_.size(); ++i) {
    const std::size_t inputs = current_.size();
    steps_[i]->run(gil, current_, next_);
    if (also) also(*steps_[i], next_);
    counters_.ran(i, inputs, next_.size());
    current_.clear(gil);
    current_.swap(next_);
  }
  if (router_) return route(gil);
  for (const std::unique_ptr<OutputStep>& output : outputs_) output->run(gil, current_);
}

void Pipeline::route(const embed::Gil& gil) {
  const EmptiedBranches emptied(gil, branches_);
  router_->run(gil, current_, branches_);
  for (std::size_t i = 0; i < branches_.size(); ++i) outputs_[i]->run(gil, branches_[i]);
}

}  // namespace machida::flow
