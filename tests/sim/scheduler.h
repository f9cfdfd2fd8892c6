// The time of a simulation and what happens in it, one event after another, in an order that the
// seed decides. Everything that happens is noted: two runs with one hash did the same.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/sim/random.h"

namespace machida::sim {

class Scheduler {
 public:
  using Action = std::function<void()>;
  enum class Trace { kSilent, kPrinted };

  Scheduler(std::uint64_t seed, Trace trace) : random_(seed), trace_(trace) {}

  Random& random() noexcept { return random_; }
  std::uint64_t now_us() const noexcept { return now_us_; }
  std::uint64_t events() const noexcept { return events_; }

  // Not before the caller returns.
  void after(std::uint64_t delay_us, Action action);
  // The next event. False: there is none.
  bool step();

  // What happened, with the worker it happened to (-1: none) and up to two numbers.
  void note(std::string_view what, std::int64_t worker = -1, std::int64_t a = 0,
            std::int64_t b = 0);
  std::uint64_t hash() const noexcept { return hash_; }

 private:
  struct Event {
    std::uint64_t at_us, number;  // first come, first served at one time
    Action action;
    bool operator<(const Event& other) const {
      return std::pair(other.at_us, other.number) < std::pair(at_us, number);
    }
  };
  void mix(std::uint64_t value);

  Random random_;
  const Trace trace_;
  std::priority_queue<Event> events_to_come_;
  std::uint64_t now_us_ = 0, events_ = 0, scheduled_ = 0;
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace machida::sim
