// The application's encoder, in front of one sink: records in, bytes out.
#pragma once

#include "server/flow/outlet.h"
#include "server/flow/step.h"
#include "server/metrics/counter.h"

namespace machida::flow {

class EncodeStep final {
 public:
  static constexpr const char* kCounter = "machida_flow_outputs_total";

  EncodeStep(Place place, DeadLetters& dead_letters, embed::Object encode, Outlet& outlet,
             metrics::Counter& outputs)
      : place_(std::move(place)),
        dead_letters_(dead_letters),
        encode_(std::move(encode)),
        outlet_(outlet),
        outputs_(outputs) {}

  // encode(data) of each record, written as bytes (or str as UTF-8); None writes nothing.
  // Leaves the records in the batch: another sink may want them too.
  void run(const embed::Gil&, const Batch& records);

 private:
  bool encode(const embed::Gil&, _object* record);

  Place place_;
  DeadLetters& dead_letters_;
  embed::Object encode_;
  Outlet& outlet_;
  metrics::Counter& outputs_;
};

}  // namespace machida::flow
