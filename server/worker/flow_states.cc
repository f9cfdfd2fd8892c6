#include "server/worker/flow_states.h"

#include <utility>

#include "embed/error.h"
#include "server/base/log.h"
#include "server/checkpoint/recovery.h"
#include "server/flow/part_states.h"

namespace machida::worker {

using embed::Gil;
using embed::Object;

namespace {

constexpr std::size_t kStatesAtOnce = 4096;

bool are_positions(const std::vector<flow::EpochStates*>& states) {
  for (const flow::EpochStates* each : states)
    if (each) return dynamic_cast<const flow::PartStates*>(each) != nullptr;
  return false;
}

}  // namespace

FlowStates::FlowStates(const Gil& gil, const std::vector<std::vector<flow::EpochStates*>>& states,
                       FlowSeats seats, embed::Pickling snapshots)
    : seats_(seats),
      owners_(gil, seats.workers(), nullptr),
      snapshots_(std::move(snapshots)),
      keys_(gil),
      writer_(snapshots_.clone(gil), keys_.clone(gil)) {
  for (std::size_t worker = 0; worker < states.size(); ++worker)
    for (flow::EpochStates* each : states[worker]) {
      OfStep& of_step = by_step_[each->name()];
      of_step.resize(states.size(), nullptr);
      of_step[worker] = each;
      all_.push_back(each);
    }
}

std::uint32_t FlowStates::restore(const Gil& gil, const std::string& step, const store::Key& key,
                                  std::string_view snapshot) {
  const auto found = by_step_.find(step);
  if (found == by_step_.end()) {
    ++unknown_[step];
    return kNone;
  }
  try {
    return give(gil, found->second, key, snapshot);
  } catch (const embed::PythonError& error) {
    throw checkpoint::RecoveryError("the snapshot of step '" + step +
                                    "' can't be restored: " + error.what());
  }
}

std::uint32_t FlowStates::give(const Gil& gil, const OfStep& states, const store::Key& key,
                               std::string_view snapshot) {
  const Object python_key = checkpoint::key_from(gil, keys_, key);
  if (are_positions(states)) {
    const Object position = snapshots_.load(gil, snapshot);
    for (flow::EpochStates* each : states)
      if (each) each->restore(gil, python_key, position.clone(gil));
    return kAll;
  }
  const std::uint32_t owner = owners_.owner_of(gil, python_key.get());
  if (owner == flow::KeyOwners::kNobody) embed::throw_pending(gil);
  const std::uint32_t process = seats_.process_of(owner);
  if (process == seats_.process)
    states[seats_.place_of(owner)]->restore(gil, python_key, snapshots_.load(gil, snapshot));
  return process;
}

void FlowStates::restored() {
  for (const auto& [step, count] : unknown_)
    log::warn(
        "{} snapshots of step '{}' stay in the recovery partitions: the dataflow has no such step",
        count, step);
  unknown_.clear();
  for (flow::EpochStates* each : all_) each->write_to(writer_);
}

std::vector<store::StateRows> FlowStates::end_epoch(const Gil& gil) {
  for (flow::EpochStates* each : all_) {
    each->end_epoch();
    while (each->write_some(gil, kStatesAtOnce)) {
    }
  }
  return writer_.take();
}

}  // namespace machida::worker
