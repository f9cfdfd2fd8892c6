// The positions of a source's or sink's partitions as a checkpoint keeps them: a snapshot per
// partition that moved, taken at the epoch's end. Worker's thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/epoch_states.h"

namespace machida::flow {

class PartStates final : public EpochStates {
 public:
  // `name`: the step's id.
  explicit PartStates(std::string name) : name_(std::move(name)) {}

  // The snapshot of a partition, for the epoch that ends next; dropped when nothing is kept.
  void put(std::string part, embed::Object snapshot) {
    if (writer_) snapshots_.emplace_back(std::move(part), std::move(snapshot));
  }
  // Whether something was stored for a partition.
  bool was_stored(const std::string& part) const { return restored_.contains(part); }
  // What was stored for a partition, None if nothing was.
  embed::Object resume_state(const embed::Gil&, const std::string& part) const;

  const std::string& name() const noexcept override { return name_; }
  void write_to(StateWriter& writer) override { writer_ = &writer; }
  bool has_changes() const noexcept override { return !snapshots_.empty(); }
  void end_epoch() override {}
  bool write_some(const embed::Gil&, std::size_t states_max) override;
  bool restore(const embed::Gil&, const embed::Object& key, embed::Object state) override;

 private:
  std::string name_;
  StateWriter* writer_ = nullptr;
  std::vector<std::pair<std::string, embed::Object>> snapshots_;
  std::map<std::string, embed::Object, std::less<>> restored_;
};

}  // namespace machida::flow
