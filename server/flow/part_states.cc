#include "server/flow/part_states.h"

#include "embed/value.h"

namespace machida::flow {

using embed::Gil;
using embed::Object;

Object PartStates::resume_state(const Gil& gil, const std::string& part) const {
  const auto found = restored_.find(part);
  return found == restored_.end() ? embed::none(gil) : found->second.clone(gil);
}

bool PartStates::write_some(const Gil& gil, std::size_t states_max) {
  for (std::size_t i = 0; i < states_max && !snapshots_.empty(); ++i) {
    const auto [part, snapshot] = std::move(snapshots_.back());
    snapshots_.pop_back();
    writer_->write(gil, name_, embed::make_str(gil, part).get(), snapshot.get());
  }
  return !snapshots_.empty();
}

bool PartStates::restore(const Gil& gil, const Object& key, Object state) {
  restored_.insert_or_assign(embed::str(gil, key), std::move(state));
  return true;
}

}  // namespace machida::flow
