// Several workers in the calling process, without sockets and without a loop, that exchange records
// by reference: what `wallaroo.testing` runs with workers=N.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "embed/gil.h"
#include "server/flow/memory_exchange.h"
#include "server/plan/plan.h"
#include "server/worker/in_process.h"

namespace machida::worker {

class InProcessWorkers {
 public:
  // `workers`: at least 1. Throws what InProcess throws. `plan` must outlive it.
  InProcessWorkers(const embed::Gil&, const plan::Plan& plan, UnknownKeyPolicy unknown_keys,
                   std::size_t frame_bytes_max, std::uint32_t workers);

  // Whose turn it is to be fed: each connection is one worker's.
  InProcess& next();
  // Runs what they sent each other, until nothing is on its way.
  void exchange(const embed::Gil&);

  // No record will come: windows close and give what they hold.
  void end(const embed::Gil&);

  const std::vector<std::unique_ptr<InProcess>>& workers() const noexcept { return workers_; }

 private:
  flow::MemoryExchange exchange_;
  std::vector<std::unique_ptr<InProcess>> workers_;
  std::size_t next_ = 0;
};

}  // namespace machida::worker
