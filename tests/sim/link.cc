#include "tests/sim/link.h"

namespace machida::sim {
namespace {

constexpr std::uint64_t kStallPercent = 1, kStallUsMax = 200'000;
constexpr std::uint64_t kCutPercent = 25;

}  // namespace

void Link::send(const wire::LinkMessage& message) {
  wire::append_link_message(waiting_, message);
  arrive_later();
  if (full_ || waiting_.size() <= kFullBytes) return;
  full_ = true;
  calls_.on_full(true);
}

void Link::arrive_later() {
  if (under_way_) return;
  under_way_ = true;
  Random& random = scheduler_.random();
  const std::uint64_t delay_us_max = random.chance(kStallPercent) ? kStallUsMax : delay_us_max_;
  scheduler_.after(random.below(delay_us_max), [this, alive = alive_] {
    if (*alive) arrive();
  });
}

void Link::arrive() {
  under_way_ = false;
  Random& random = scheduler_.random();
  const std::size_t bytes =
      random.chance(kCutPercent) ? random.between(1, waiting_.size()) : waiting_.size();
  const std::string read = waiting_.substr(0, bytes);
  waiting_.erase(0, bytes);
  if (!waiting_.empty()) arrive_later();
  if (full_ && waiting_.size() < kLowBytes) {
    full_ = false;
    calls_.on_full(false);
  }
  calls_.deliver(read);
}

}  // namespace machida::sim
