// In front of a step whose records belong to certain workers: keeps those of this worker and sends
// the others to theirs, one batch per worker. Only where there are several workers.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "server/flow/assignment.h"
#include "server/flow/exchange.h"
#include "server/flow/step.h"
#include "server/metrics/counter.h"

namespace machida::flow {

class ExchangeStep final : public Step {
 public:
  static constexpr const char* kCounter = "machida_flow_exchanged_records_total";

  struct Parts {
    std::unique_ptr<Assignment> assignment;
    Exchange& exchange;
    StepAddress next;  // the step behind this one
    std::uint32_t own = 0, workers = 1;
    metrics::Counter& exchanged;
  };
  // `place` is that of the step behind this one: whose partition function is called here.
  ExchangeStep(Place place, DeadLetters& dead_letters, Parts parts);
  void run(const embed::Gil&, Batch& in, Batch& out) override;
  bool exchanges() const noexcept override { return true; }

 private:
  Parts parts_;
  std::vector<Batch> outgoing_;  // by worker; empty between calls
};

}  // namespace machida::flow
