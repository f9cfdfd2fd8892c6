// Calls back when everything that was written to the sinks until then has been delivered: a source
// commits its position only afterwards. First asked, first called. Worker's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "server/flow/outlet.h"
#include "server/uv/loop.h"
#include "server/uv/timer.h"

namespace machida::worker {

class Settlement {
 public:
  explicit Settlement(uv::Loop& loop);

  void watch(flow::Delivery& sink) { sinks_.push_back(&sink); }
  void when_delivered(std::function<void()> then);
  // Forgets who asked: they are gone.
  void clear() { asked_.clear(); }

 private:
  struct Asked {
    std::vector<std::uint64_t> marks;  // of sinks_
    std::function<void()> then;
  };
  void look();
  bool settled(const Asked& asked) const;

  std::vector<flow::Delivery*> sinks_;
  std::deque<Asked> asked_;
  uv::Timer look_again_;  // an acknowledgement by TCP is no event
};

}  // namespace machida::worker
