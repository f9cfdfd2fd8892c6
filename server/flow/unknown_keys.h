// Counts the records of one step whose partition key has no state, and logs the first of them.
#pragma once

#include "embed/gil.h"
#include "server/flow/dead_letters.h"
#include "server/metrics/counter.h"

namespace machida::flow {

class UnknownKeys {
 public:
  static constexpr const char* kCounter = "machida_flow_unknown_keys_total";

  UnknownKeys(Place place, std::string state_name, metrics::Registry& metrics);
  void add(const embed::Gil&, _object* key);

 private:
  Place place_;
  std::string state_name_;
  metrics::Counter& count_;
};

}  // namespace machida::flow
