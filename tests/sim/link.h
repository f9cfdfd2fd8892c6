// One direction between two workers: bytes arrive in order, later, and cut anywhere. When more
// waits than a limit, the sender is told, as by cluster::Link.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "server/wire/link_message.h"
#include "tests/sim/scheduler.h"

namespace machida::sim {

class Link {
 public:
  struct Calls {
    std::function<void(std::string_view bytes)> deliver;
    std::function<void(bool full)> on_full;  // or not any more
  };
  Link(Scheduler& scheduler, std::uint64_t delay_us_max, Calls calls)
      : scheduler_(scheduler), delay_us_max_(delay_us_max), calls_(std::move(calls)) {}

  void send(const wire::LinkMessage& message);
  // Its ends are gone.
  void cut() { *alive_ = false; }

 private:
  static constexpr std::size_t kFullBytes = 1024, kLowBytes = 256;
  void arrive();
  void arrive_later();

  Scheduler& scheduler_;
  const std::uint64_t delay_us_max_;
  Calls calls_;
  std::string waiting_;
  bool under_way_ = false;
  bool full_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace machida::sim
