// What a step does at a time, although no record comes. Worker's thread.
#pragma once

#include <cstdint>
#include <optional>

#include "embed/gil.h"
#include "server/flow/batch.h"

namespace machida::flow {

class TimedWork {
 public:
  virtual ~TimedWork() = default;

  // The system time (microseconds since 1970 UTC) from which on on_due() has something to do, if no
  // record comes before; in the past: now. Constant time.
  virtual std::optional<std::int64_t> next_due_us() const = 0;
  // Appends what is due at `now_us`, a bounded number of keys at a time: more may still be due.
  virtual void on_due(const embed::Gil&, std::int64_t now_us, Batch& out) = 0;
};

}  // namespace machida::flow
