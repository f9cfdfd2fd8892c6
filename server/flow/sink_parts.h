// One output of a dataflow in all workers of this process: the sink as the engine calls it, its
// partitions, and who has which. Other processes have other workers, and agree on the partitions.
// Worker's thread, under the lock.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/dead_letters.h"
#include "server/flow/owned_parts.h"

namespace machida::flow {

class SinkParts {
 public:
  // `sink` is the user's bytewax.outputs.Sink, which is asked for its partitions. What user code
  // raises goes to `dead_letters`, which outlives it.
  SinkParts(const embed::Gil&, Place place, const embed::Object& sink, DeadLetters& dead_letters);

  const Place& place() const noexcept { return place_; }
  // A FixedSink or PerWorkerSink (wallaroo/flows/sink_adapter.py); empty: user code raised.
  const embed::Object& adapter() const noexcept { return adapter_; }
  // Else it is written by whoever has an item.
  bool partitioned() const noexcept { return static_cast<bool>(part_fn_); }

  // Those that this process sees.
  const std::vector<std::string>& listed() const noexcept { return listed_; }
  // Those that all processes go by. A partitioned sink without any is a ValueError.
  void agree_on(const embed::Gil&, OwnedParts parts);
  const OwnedParts& parts() const noexcept { return parts_; }

  // Which of parts() an item belongs to: by anything that is an index, as NumPy's integers are.
  // kNone, with an exception set: to none.
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::size_t part_of(const embed::Gil&, _object* item) const;
  // For messages about what part_of() called.
  _object* part_fn() const noexcept { return part_fn_.get(); }

 private:
  Place place_;
  DeadLetters& dead_letters_;
  embed::Object adapter_, part_fn_;
  std::vector<std::string> listed_;
  OwnedParts parts_;
};

}  // namespace machida::flow
