// Which of a dataflow's workers run in this process. Every process has as many, and they are
// counted through: those of process 1 come behind those of process 0.
#pragma once

#include <cstdint>

namespace machida::worker {

struct FlowSeats {
  std::uint32_t process = 0;
  std::uint32_t processes = 1;
  std::uint32_t here = 1;  // workers of each process

  std::uint32_t workers() const noexcept { return processes * here; }
  std::uint32_t first() const noexcept { return process * here; }
  std::uint32_t process_of(std::uint32_t worker) const noexcept { return worker / here; }
  // Its number among those of its process.
  std::uint32_t place_of(std::uint32_t worker) const noexcept { return worker % here; }
};

}  // namespace machida::worker
