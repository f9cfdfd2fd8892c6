// Which worker runs the next step for a record: the strategy of an ExchangeStep, one per such step.
//
// To add a way of routing (as dataflows do for keyed steps and redistribute): derive, decide in
// owner_of() from the record alone or from own counters, and have the Assembly put an ExchangeStep
// with it in front of the step. Keys hash with stable_hash(), which is the same in every process
// and at every start; KeyOwners is the rule for states, so that a restart with another number of
// workers finds a key's state where its records go.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/key_owners.h"

namespace machida::flow {

class Assignment {
 public:
  virtual ~Assignment() = default;
  // The worker, or KeyOwners::kNobody with a Python exception set: user code raised.
  virtual std::uint32_t owner_of(const embed::Gil&, _object* record) = 0;
  // The key that the last owner_of() has found out, as a reference of the caller's; null: none.
  virtual _object* take_key() { return nullptr; }
};

// All records to one worker: a step with a single state object.
class OneWorker final : public Assignment {
 public:
  explicit OneWorker(std::uint32_t worker) : worker_(worker) {}
  std::uint32_t owner_of(const embed::Gil&, _object*) override { return worker_; }

 private:
  std::uint32_t worker_;
};

// In turn over all workers, starting with this one: to_parallel.
class RoundRobin final : public Assignment {
 public:
  RoundRobin(std::uint32_t own, std::uint32_t workers) : next_(own), workers_(workers) {}
  std::uint32_t owner_of(const embed::Gil&, _object*) override {
    const std::uint32_t worker = next_;
    next_ = next_ + 1 == workers_ ? 0 : next_ + 1;
    return worker;
  }

 private:
  std::uint32_t next_, workers_;
};

// By the key that a function makes of the record.
class ByKey final : public Assignment {
 public:
  ByKey(embed::Object partition, std::shared_ptr<const KeyOwners> owners)
      : partition_(std::move(partition)), owners_(std::move(owners)) {}
  std::uint32_t owner_of(const embed::Gil&, _object* record) override;
  _object* take_key() override { return key_.release(); }

 private:
  embed::Object partition_;
  embed::Object key_;
  std::shared_ptr<const KeyOwners> owners_;
};

// By the key of a dataflow's item `(key, value)`. Anything else stays where it is: the keyed step
// refuses it.
class ByItemKey final : public Assignment {
 public:
  ByItemKey(std::uint32_t own, KeyOwners owners) : own_(own), owners_(std::move(owners)) {}
  std::uint32_t owner_of(const embed::Gil&, _object* record) override;

 private:
  std::uint32_t own_;
  KeyOwners owners_;
};

}  // namespace machida::flow
