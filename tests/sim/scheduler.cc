#include "tests/sim/scheduler.h"

#include <fmt/core.h>

namespace machida::sim {

void Scheduler::after(std::uint64_t delay_us, Action action) {
  events_to_come_.push({now_us_ + delay_us, scheduled_++, std::move(action)});
}

bool Scheduler::step() {
  if (events_to_come_.empty()) return false;
  // A queue's top is const, and it is popped at once.
  Event event = std::move(const_cast<Event&>(events_to_come_.top()));
  events_to_come_.pop();
  now_us_ = event.at_us;
  ++events_;
  mix(now_us_);
  mix(event.number);
  event.action();
  return true;
}

void Scheduler::mix(std::uint64_t value) {
  for (int byte = 0; byte < 8; ++byte, value >>= 8)
    hash_ = (hash_ ^ (value & 0xff)) * 0x100000001b3;
}

void Scheduler::note(std::string_view what, std::int64_t worker, std::int64_t a, std::int64_t b) {
  for (const char c : what) mix(static_cast<unsigned char>(c));
  mix(static_cast<std::uint64_t>(worker));
  mix(static_cast<std::uint64_t>(a));
  mix(static_cast<std::uint64_t>(b));
  if (trace_ == Trace::kPrinted)
    fmt::print("{:>10} us  #{:<6} {}  {} {} {}\n", now_us_, events_,
               worker < 0 ? std::string("       ") : fmt::format("worker {}", worker), what, a, b);
}

}  // namespace machida::sim
