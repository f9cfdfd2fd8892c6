// How a record gets to the worker that runs the next step for it. One per worker; what was sent
// arrives at the other worker's Pipeline::run_from(), in the order of sending, never within send().
//
//   in one process   MemoryExchange passes references
//   over a link      cluster::LinkExchange serialises each batch once
#pragma once

#include <cstdint>

#include "embed/gil.h"
#include "server/flow/batch.h"
#include "server/flow/dead_letters.h"

namespace machida::flow {

// A running step: the numbers are the same in all workers, since all run the same plan.
struct StepAddress {
  std::uint32_t pipeline = 0;
  std::uint32_t step = 0;  // among the pipeline's running steps, exchange steps included
  bool operator==(const StepAddress&) const = default;
};

class Exchange {
 public:
  virtual ~Exchange() = default;
  // Takes all records, at least one. Records that can't leave the process are dead letters of
  // `place`. May throw what DeadLetters throws.
  virtual void send(const embed::Gil&, std::uint32_t worker, StepAddress to, const Place& place,
                    Batch& records) = 0;
};

}  // namespace machida::flow
