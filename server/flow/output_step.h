// The last step of a pipeline, in front of one sink.
#pragma once

#include "embed/gil.h"
#include "server/flow/batch.h"
#include "server/flow/outlet.h"
#include "server/metrics/counter.h"

namespace machida::flow {

class OutputStep {
 public:
  static constexpr const char* kCounter = "machida_flow_outputs_total";

  explicit OutputStep(metrics::Counter& outputs) : outputs_(outputs) {}
  virtual ~OutputStep() = default;

  // Hands each record to the sink. Leaves the records in the batch: another sink may want them too.
  virtual void run(const embed::Gil&, const Batch& records) = 0;

 protected:
  void count(std::uint64_t outputs) { outputs_.add(outputs); }

 private:
  metrics::Counter& outputs_;
};

// For sinks that take records without an encoder.
class RecordStep final : public OutputStep {
 public:
  RecordStep(metrics::Counter& outputs, RecordOutlet& outlet)
      : OutputStep(outputs), outlet_(outlet) {}

  void run(const embed::Gil& gil, const Batch& records) override {
    if (!records.empty()) count(outlet_.write(gil, records));
  }

 private:
  RecordOutlet& outlet_;
};

}  // namespace machida::flow
