#include "server/worker/stored_flow.h"

#include <map>

#include "embed/error.h"
#include "embed/value.h"
#include "server/base/log.h"
#include "server/checkpoint/recovery.h"
#include "server/flow/key_owners.h"
#include "server/flow/part_states.h"

namespace machida::worker {

using embed::Gil;
using embed::Object;

namespace {

constexpr std::size_t kStatesAtOnce = 4096;

// Step id -> its states by worker; null where a worker has none.
using ByName = std::map<std::string, std::vector<flow::EpochStates*>, std::less<>>;

ByName by_name(const std::vector<std::vector<flow::EpochStates*>>& states) {
  ByName named;
  for (std::size_t worker = 0; worker < states.size(); ++worker)
    for (flow::EpochStates* each : states[worker]) {
      auto& of_name = named[each->name()];
      of_name.resize(states.size(), nullptr);
      of_name[worker] = each;
    }
  return named;
}

// Positions are looked up by whoever builds the partition; other states belong to a key's owner.
bool are_positions(const std::vector<flow::EpochStates*>& states) {
  for (const flow::EpochStates* each : states)
    if (each) return dynamic_cast<const flow::PartStates*>(each) != nullptr;
  return false;
}

}  // namespace

StoredFlow::StoredFlow(const Gil& gil, const std::string& directory,
                       std::int64_t backup_interval_us, embed::Pickling snapshots,
                       const SystemTime& time)
    : parts_(directory, backup_interval_us),
      snapshots_(std::move(snapshots)),
      keys_(gil),
      writer_(snapshots_.clone(gil), keys_.clone(gil)),
      time_(time) {}

void StoredFlow::restore(const Gil& gil,
                         const std::vector<std::vector<flow::EpochStates*>>& states) {
  const ByName named = by_name(states);
  const flow::KeyOwners owners(gil, static_cast<std::uint32_t>(states.size()), nullptr);
  std::map<std::string, std::uint64_t> unknown;
  parts_.read_states([&](const std::string& state, const store::Key& key, std::string_view value) {
    const auto found = named.find(state);
    if (found == named.end()) {
      ++unknown[state];
      return;
    }
    try {
      const Object python_key = checkpoint::key_from(gil, keys_, key);
      const Object snapshot = snapshots_.load(gil, value);
      if (are_positions(found->second)) {
        for (flow::EpochStates* each : found->second)
          if (each) each->restore(gil, python_key, snapshot.clone(gil));
        return;
      }
      const std::uint32_t owner = owners.owner_of(gil, python_key.get());
      if (owner == flow::KeyOwners::kNobody) embed::throw_pending(gil);
      found->second[owner]->restore(gil, python_key, snapshot.clone(gil));
    } catch (const embed::PythonError& error) {
      throw checkpoint::RecoveryError("the snapshot of step '" + state +
                                      "' can't be restored: " + error.what());
    }
  });
  for (const auto& [name, count] : unknown)
    log::warn(
        "{} snapshots of step '{}' stay in the recovery partitions: the dataflow has no such "
        "step",
        count, name);
  for (const auto& of_worker : states)
    for (flow::EpochStates* each : of_worker) {
      each->write_to(writer_);
      states_.push_back(each);
    }
}

void StoredFlow::store(const Gil& gil, std::uint64_t epoch) {
  for (flow::EpochStates* each : states_) {
    each->end_epoch();
    while (each->write_some(gil, kStatesAtOnce)) {
    }
  }
  const std::vector<store::StateRows> rows = writer_.take();
  if (!rows.empty()) parts_.commit(epoch, time_.now_us(), rows);
}

}  // namespace machida::worker
