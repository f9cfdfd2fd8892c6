#include "server/worker/reshard.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "embed/error.h"
#include "embed/pickling.h"
#include "server/base/check.h"
#include "server/base/log.h"
#include "server/checkpoint/journaled_inputs.h"
#include "server/checkpoint/state_rows.h"
#include "server/flow/key_owners.h"
#include "server/store/journal_files.h"
#include "server/store/layout.h"
#include "server/store/store.h"

namespace machida::worker {
namespace {

// Who owns what with the new number of workers.
class Owners {
 public:
  Owners(const embed::Gil& gil, const plan::Plan& plan, std::uint32_t workers)
      : workers_(workers), others_(gil, workers, nullptr), pickle_(gil) {
    for (const plan::StateSpec& state : plan.states) {
      const std::vector<embed::Object>* listed = state.keys ? &*state.keys : nullptr;
      states_[state.name] =
          state.keyed ? std::make_unique<flow::KeyOwners>(gil, workers, listed) : nullptr;
    }
  }

  std::uint32_t owner_of(const embed::Gil& gil, std::string_view state,
                         const store::Key& key) const {
    const auto known = states_.find(state);
    if (known != states_.end() && !known->second)
      return flow::owner_of_name(known->first, workers_);
    const flow::KeyOwners& owners = known == states_.end() ? others_ : *known->second;
    const std::uint32_t owner = owners.owner_of(gil, checkpoint::key_from(gil, pickle_, key).get());
    if (owner == flow::KeyOwners::kNobody) embed::throw_pending(gil);
    return owner;
  }

 private:
  std::uint32_t workers_;
  std::map<std::string, std::unique_ptr<flow::KeyOwners>, std::less<>> states_;  // null: unkeyed
  flow::KeyOwners others_;  // of states that only the store knows
  embed::Pickling pickle_;
};

void add_row(store::Epoch& epoch, std::string_view state, const store::Key& key,
             std::string_view value) {
  if (epoch.states.empty() || epoch.states.back().state != state) {
    for (std::size_t i = 0; i < epoch.states.size(); ++i)
      if (epoch.states[i].state == state) std::swap(epoch.states[i], epoch.states.back());
    if (epoch.states.empty() || epoch.states.back().state != state)
      epoch.states.push_back({std::string(state), {}});
  }
  store::StateRow& row = epoch.states.back().rows.emplace_back();
  row.key = key;
  row.value = std::string(value);
}

// Batches that a worker has journaled and that are in no epoch.
std::int64_t unreplayed(const store::Directory& directory, int worker,
                        const std::optional<store::EpochStore::Newest>& newest) {
  const std::vector<store::SegmentFacts> segments =
      store::read_journal(directory.path(), worker).segments;
  const std::int64_t in_epochs =
      newest ? checkpoint::JournaledInputs::position_in(newest->epoch.positions) : 0;
  return segments.empty() ? 0 : std::max<std::int64_t>(0, segments.back().next - in_epochs);
}

// What is in no closed epoch would be lost.
void check_settled(const plan::Plan& plan, const store::Directory& directory,
                   const Stores& old_stores) {
  for (std::size_t i = 0; i < old_stores.size(); ++i) {
    const std::optional<store::EpochStore::Newest> newest = old_stores[i]->newest();
    if (newest && !newest->closed && !newest->epoch.outboxes.empty())
      throw store::StoreError(directory.path() + ": the last epoch is not closed");
    const std::int64_t left = unreplayed(directory, static_cast<int>(i), newest);
    if (left == 0) continue;
    const std::string what = fmt::format("{}: {} journaled batches of worker {} are in no epoch",
                                         directory.path(), left, i);
    if (plan.has_source<plan::TcpSourceSpec>())
      throw store::StoreError(
          fmt::format("{}: start with {} workers, which process them, and change the number later",
                      what, old_stores.size()));
    log::warn("{}; the application has no source for them any more: they are dropped", what);
  }
}

}  // namespace

std::uint64_t deal_out(const embed::Gil& gil, const plan::Plan& plan, const Stores& old_stores,
                       const Stores& new_stores) {
  const Owners owners(gil, plan, static_cast<std::uint32_t>(new_stores.size()));
  std::vector<Position> positions;
  for (const auto& store : old_stores) {
    const std::optional<store::EpochStore::Newest> newest = store->newest();
    if (!newest) continue;
    MACHIDA_CHECK(newest->closed || newest->epoch.outboxes.empty(), "the last epoch is closed");
    for (const Position& position : newest->epoch.positions)
      if (position.source != checkpoint::JournaledInputs::kSource) positions.push_back(position);
  }
  std::uint64_t keys = 0;
  for (std::uint32_t i = 0; i < new_stores.size(); ++i) {
    store::Epoch epoch;
    epoch.number = 1;
    epoch.positions = positions;
    for (const auto& store : old_stores)
      store->read_states(
          [&](std::string_view state, const store::Key& key, std::string_view value) {
            if (owners.owner_of(gil, state, key) != i) return;
            add_row(epoch, state, key, value);
            ++keys;
          });
    new_stores[i]->commit(epoch);
    new_stores[i]->close(epoch.number);
  }
  return keys;
}

void reshard(const embed::Gil& gil, const plan::Plan& plan, const store::Directory& directory,
             std::uint32_t old_workers, std::uint32_t new_workers) {
  Stores old_stores, new_stores;
  for (std::uint32_t i = 0; i < old_workers; ++i)
    old_stores.push_back(std::make_unique<store::Store>(directory, static_cast<int>(i), plan.name));
  check_settled(plan, directory, old_stores);
  const store::Directory next(store::begin_new_stores(directory),
                              store::Directory::Access::kInspect);
  for (std::uint32_t i = 0; i < new_workers; ++i)
    new_stores.push_back(std::make_unique<store::Store>(next, static_cast<int>(i), plan.name));
  const std::uint64_t keys = deal_out(gil, plan, old_stores, new_stores);
  new_stores.clear();
  store::complete_new_stores(directory, new_workers);
  log::info("{} keys of {} workers now belong to {}", keys, old_workers, new_workers);
}

}  // namespace machida::worker
