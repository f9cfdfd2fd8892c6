#include "server/worker/settlement.h"

namespace machida::worker {
namespace {
constexpr std::uint64_t kLookAgainMs = 5;
}  // namespace

Settlement::Settlement(uv::Loop& loop) : look_again_(loop, [this] { look(); }) {}

void Settlement::when_delivered(std::function<void()> then) {
  Asked asked{{}, std::move(then)};
  for (flow::Delivery* sink : sinks_) asked.marks.push_back(sink->mark());
  asked_.push_back(std::move(asked));
  look_again_.start(1);
}

bool Settlement::settled(const Asked& asked) const {
  for (std::size_t i = 0; i < sinks_.size(); ++i)
    if (!sinks_[i]->delivered(asked.marks[i])) return false;
  return true;
}

void Settlement::look() {
  while (!asked_.empty() && settled(asked_.front())) {
    const std::function<void()> then = std::move(asked_.front().then);
    asked_.pop_front();
    then();
  }
  if (!asked_.empty()) look_again_.start(kLookAgainMs);
}

}  // namespace machida::worker
