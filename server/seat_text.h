// How a process of this program is told which part of an application it is: the two words behind
// the program's name, `worker-seat TEXT`, that the supervisor puts in front of the user's command
// line. Not for people.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "server/worker/membership.h"

namespace machida {

struct SeatText {
  static constexpr const char* kWord = "worker-seat";

  enum class Task {
    kWork,     // a worker
    kSettle,   // a worker that only brings to an end what the resilience directory holds
    kInquire,  // loads the application and writes its name and addresses to `output`
    kReshard,  // makes the stores of `seat.workers` workers of those of `old_workers`
  };
  Task task = Task::kWork;
  pid_t supervisor = 0;  // with which this process ends
  worker::SeatOptions seat;
  std::optional<std::int64_t> resume_epoch;
  int output = -1;
  std::uint32_t old_workers = 0;

  std::string text() const;
  // Throws std::invalid_argument: somebody else has written it.
  static SeatText parse(const std::string& text);
};

}  // namespace machida
