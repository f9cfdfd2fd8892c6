// What takes part in the epochs of a checkpoint, as the coordinator sees it. An epoch ends between
// two batches: everything before belongs to it, everything after to the next one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/base/position.h"

namespace machida::flow {

// A source that can go back to where it was.
class EpochSource {
 public:
  virtual ~EpochSource() = default;
  // Behind what has been processed, for all of its parts.
  virtual void positions(std::vector<Position>& out) const = 0;
  // The epoch with these positions is done: they can be shown to others.
  virtual void passed(const std::vector<Position>& positions) = 0;
};

// A sink that makes an epoch's outputs visible all at once, after the epoch was stored.
class EpochSink {
 public:
  virtual ~EpochSink() = default;
  virtual const std::string& id() const = 0;  // the same after a restart
  virtual bool has_outputs() const = 0;       // of the open epoch
  // Outputs from now on belong to the next epoch. Returns the ended one's, to be stored with it.
  virtual std::vector<std::shared_ptr<const std::string>> end_epoch(std::int64_t epoch) = 0;
  // The epoch is stored: its outputs shall become visible. Ends in committed(). Outputs of an epoch
  // from before a crash are given back; they may be visible already.
  virtual void commit(std::int64_t epoch) = 0;
  virtual bool committed(std::int64_t epoch) const = 0;
};

}  // namespace machida::flow
