// The partitions of a source or sink that there are in all processes, and which worker has which.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace machida::flow {

struct OwnedPart {
  std::string name;
  std::uint32_t worker = 0;
  bool operator==(const OwnedPart&) const = default;
};
// Sorted by name: a sink's part_fn is an index into them.
using OwnedParts = std::vector<OwnedPart>;

// Gives each partition to a worker of a process that lists it, as the original does: those that few
// list come first, then in the order of their names, each to the worker with the fewest so far.
// `listed`: names, each once, by process. `here`: workers of each process.
OwnedParts share_out(const std::vector<std::vector<std::string>>& listed, std::uint32_t here);

}  // namespace machida::flow
