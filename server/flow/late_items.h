// Counts the items of one step that came after a window of theirs had closed, and logs them, ever
// more rarely.
#pragma once

#include "embed/gil.h"
#include "server/flow/dead_letters.h"
#include "server/metrics/counter.h"
#include "server/window/instant.h"

namespace machida::flow {

class LateItems {
 public:
  static constexpr const char* kCounter = "machida_flow_late_items_total";

  LateItems(const Place& place, metrics::Registry& metrics)
      : step_(place.step), count_(metrics.counter(kCounter, {{"step", place.step}})) {}

  void add(const embed::Gil&, _object* key, window::Micros item_us, window::Micros watermark_us);

 private:
  std::string step_;
  metrics::Counter& count_;
};

}  // namespace machida::flow
