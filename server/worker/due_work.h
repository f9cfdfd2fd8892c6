// Lets steps do what is due at a time although no record comes: windows close when the system time
// has passed their end. Looks at the end of every turn of the loop, sleeps until the earliest is
// due, and lets a bounded piece of it be done per turn. While the intake is paused it waits, as
// sources do: then the sinks are full, or an epoch is ending. Owned by the worker; its thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "server/base/system_time.h"
#include "server/flow/intake.h"
#include "server/flow/pipeline.h"
#include "server/uv/loop.h"
#include "server/uv/timer.h"

namespace machida::worker {

class DueWork {
 public:
  // `pipelines` stay where they are.
  DueWork(uv::Loop& loop, const flow::Intake& intake, const SystemTime& time,
          std::vector<std::unique_ptr<flow::Pipeline>>& pipelines);

  // Nothing is done before start() and after stop().
  void start();
  void stop() noexcept { running_ = false; }

 private:
  // The system's clock may be set while the loop sleeps by another one.
  static constexpr std::uint64_t kSleepMsMax = 1000;

  void look();
  void work();
  std::optional<std::int64_t> next_due_us() const;

  const flow::Intake& intake_;
  const SystemTime& time_;
  std::vector<std::unique_ptr<flow::Pipeline>>& pipelines_;
  bool running_ = false;
  std::optional<std::int64_t> sleeps_until_us_;
  uv::Timer timer_;
  uv::NextTurn soon_;
  uv::TurnEnd turn_end_;
};

}  // namespace machida::worker
