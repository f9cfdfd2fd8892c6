#include "server/worker/flow_keeping.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace machida::worker {
namespace {

using embed::Gil;

wire::KeptState message_of(std::string_view step, std::string_view key, store::KeyKind kind,
                           const std::optional<std::string_view>& value) {
  return {.step = step,
          .key_kind = static_cast<std::uint32_t>(kind),
          .key = key,
          .is_kept = value ? 1u : 0u,
          .value = value.value_or("")};
}

store::Key key_of(const wire::KeptState& state) {
  return store::key_of(static_cast<store::KeyKind>(state.key_kind), state.key);
}

}  // namespace

void FlowKeeping::begin(const Gil& gil,
                        const std::vector<std::vector<flow::EpochStates*>>& states) {
  if (how_) states_.emplace(gil, states, seats_, how_->snapshots.clone(gil));
}

std::uint64_t FlowKeeping::restore_all(const Gil& gil) {
  if (!how_) return 0;
  how_->keeper->read(
      [&](const std::string& step, const store::Key& key, std::string_view snapshot) {
        const std::uint32_t process = states_->restore(gil, step, key, snapshot);
        if (process == FlowStates::kNone || process == seats_.process) return;
        const std::string bytes = store::key_bytes(key);
        const wire::KeptState message = message_of(step, bytes, key.kind, snapshot);
        if (process == FlowStates::kAll)
          peers_.send_all(message);
        else
          peers_.send(process, message);
      });
  return how_->keeper->newest_epoch();
}

void FlowKeeping::restored() {
  if (states_) states_->restored();
}

bool FlowKeeping::take(const Gil& gil, const wire::KeptState& state) {
  if (!states_ || state.key_kind > static_cast<std::uint32_t>(store::KeyKind::kPickle))
    return false;
  if (seats_.process != 0) {
    states_->restore(gil, std::string(state.step), key_of(state), state.value);
    return true;
  }
  if (rows_.empty() || rows_.back().state != state.step)
    rows_.push_back({std::string(state.step), {}});
  store::StateRow row{.key = key_of(state), .value = std::nullopt};
  if (state.is_kept != 0) row.value = std::string(state.value);
  rows_.back().rows.push_back(std::move(row));
  return true;
}

void FlowKeeping::end_epoch(const Gil& gil) {
  std::vector<store::StateRows> changed = states_->end_epoch(gil);
  if (seats_.process == 0) {
    std::move(changed.begin(), changed.end(), std::back_inserter(rows_));
    return;
  }
  for (const store::StateRows& of_step : changed)
    for (const store::StateRow& row : of_step.rows)
      peers_.send(0, message_of(of_step.state, store::key_bytes(row.key), row.key.kind, row.value));
}

void FlowKeeping::store(uv::Loop& loop, std::uint64_t epoch, std::function<void()> on_stored) {
  if (!how_ || !how_->keeper) return on_stored();
  how_->keeper->store(loop, epoch, std::exchange(rows_, {}), std::move(on_stored));
}

void FlowKeeping::give_up() {
  if (how_ && how_->keeper) how_->keeper->give_up();
}

}  // namespace machida::worker
