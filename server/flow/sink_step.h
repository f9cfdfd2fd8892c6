// An output of a dataflow that goes to a sink written in Python (bytewax.outputs): writes the items
// and passes them on. Worker's thread, under the lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/assignment.h"
#include "server/flow/part_states.h"
#include "server/flow/sink_parts.h"
#include "server/flow/step.h"

namespace machida::flow {

// So many items at most in one write_batch, as in the original.
inline constexpr std::size_t kWriteItemsMax = 1024;

class SinkStep : public Step {
 public:
  using Step::Step;
  // What was stored is restored, the processes have agreed on the partitions, nothing has run yet.
  virtual void begin(const embed::Gil&) {}
  // Writes what it has kept: the epoch ends now. All sinks do before the first takes snapshots.
  virtual void write_kept(const embed::Gil&) {}
  // Takes the snapshots of what was written in the epoch that ends now.
  virtual void end_epoch(const embed::Gil&) {}
  // Closes what is open, once; what it raises goes to the dead letters.
  virtual void close(const embed::Gil&) = 0;

 protected:
  void write(const embed::Gil&, _object* write_batch, _object* list, const char* what);
  void close_part(const embed::Gil&, embed::Object close);
};

// DynamicSink: one part per worker, built at once. Raises what build() raises, as PythonError.
class DynamicSinkStep final : public SinkStep {
 public:
  DynamicSinkStep(const embed::Gil&, Place place, DeadLetters& dead_letters, embed::Object built);
  void run(const embed::Gil&, Batch& in, Batch& out) override;
  void write_kept(const embed::Gil&) override;
  void close(const embed::Gil&) override;

 private:
  embed::Object write_batch_, close_, end_epoch_;
};

// FixedPartitionedSink: an item belongs to the partition part_fn(key) % count of the sorted names,
// which is built when its first item comes; one that goes on where it was is built at the start,
// since what an unfinished epoch wrote must go even if nothing more is written.
class PartitionedSinkStep final : public SinkStep {
 public:
  // In worker `worker`. `shared`, of a FixedPartitionedSink, outlives it.
  PartitionedSinkStep(const SinkParts& shared, std::uint32_t worker, DeadLetters& dead_letters);
  void begin(const embed::Gil&) override;
  void run(const embed::Gil&, Batch& in, Batch& out) override;
  void end_epoch(const embed::Gil&) override;
  void close(const embed::Gil&) override;
  EpochStates* states() noexcept override { return &states_; }

 private:
  struct Part {
    std::string name;
    embed::Object items;  // a list, of the batch in work
    embed::Object write_batch, snapshot, close;
    bool wrote = false;  // since the last snapshot
  };
  bool build(const embed::Gil&, Part& part);
  void add(const embed::Gil&, _object* item);

  const SinkParts& shared_;
  const std::uint32_t worker_;
  std::vector<Part> parts_;  // as in `shared_`
  PartStates states_;
};

// The live step of worker `worker` of `workers`, for a sink that outlives it; null: user code
// raised, which went to `dead_letters`.
std::unique_ptr<SinkStep> make_sink_step(const embed::Gil&, const SinkParts& parts,
                                         std::uint32_t worker, std::uint32_t workers,
                                         DeadLetters& dead_letters);

// Which worker writes an item: the one that has its partition. Null: whoever has the item.
std::unique_ptr<Assignment> make_sink_assignment(const SinkParts& parts);

}  // namespace machida::flow
