// One input of a dataflow in all workers of this process: its partitions, who has which, and where
// their items go. Other processes have other workers, and agree on the partitions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/base/system_time.h"
#include "server/flow/owned_parts.h"
#include "server/flow/part_states.h"
#include "server/flow/source_part.h"

namespace machida::flow {

class SourceParts {
 public:
  struct Workers {
    std::uint32_t first = 0, here = 1;  // those of this process
    std::uint32_t all = 1;              // of the dataflow
  };
  // `source` is the user's bytewax.inputs.Source.
  SourceParts(Place place, embed::Object source, Workers workers)
      : place_(std::move(place)),
        source_(std::move(source)),
        workers_(workers),
        states_(place_.step) {}

  // Asks the source which partitions this process sees, and returns their names: none of a dynamic
  // source. What user code raises goes to the dead letters.
  std::vector<std::string> list(const embed::Gil&, DeadLetters& dead_letters);
  // Those that all processes go by.
  void agree_on(OwnedParts parts) { owned_ = std::move(parts); }
  // Behind both. Builds the partitions of the workers here, from what was restored into states(); a
  // dynamic source is built once per worker. What user code raises goes to the dead letters.
  void build(const embed::Gil&, DeadLetters& dead_letters, const SystemTime& time);

  struct Part {
    std::uint32_t worker;
    SourcePart source;
  };
  std::vector<Part>& parts() noexcept { return parts_; }  // by worker, then by name
  PartStates& states() noexcept { return states_; }

  bool ended() const noexcept;
  // When one of them is awake; nothing: all have ended.
  std::optional<std::int64_t> next_awake_us() const noexcept;

  bool moved() const noexcept;  // one of them, as SourcePart::moved()
  // The snapshots of those that moved, for the epoch that ends.
  void end_epoch(const embed::Gil&);
  void close(const embed::Gil&);

 private:
  Place place_;
  embed::Object source_;
  Workers workers_;
  PartStates states_;
  embed::Object adapter_;
  bool is_dynamic_ = false;
  OwnedParts owned_;
  std::vector<Part> parts_;
};

}  // namespace machida::flow
