#include "server/worker/due_work.h"

#include <algorithm>

#include "embed/gil.h"
#include "server/base/earliest.h"

namespace machida::worker {

DueWork::DueWork(uv::Loop& loop, const flow::Intake& intake, const SystemTime& time,
                 std::vector<std::unique_ptr<flow::Pipeline>>& pipelines)
    : intake_(intake),
      time_(time),
      pipelines_(pipelines),
      timer_(loop,
             [this] {
               sleeps_until_us_.reset();
               work();
             }),
      soon_(loop, [this] { work(); }),
      turn_end_(loop, [this] { look(); }) {}

void DueWork::start() {
  running_ = true;
  soon_.ask();
}

std::optional<std::int64_t> DueWork::next_due_us() const {
  std::optional<std::int64_t> due_us;
  for (const auto& pipeline : pipelines_) due_us = earliest(due_us, pipeline->next_due_us());
  return due_us;
}

// Outputs are written at the end of a turn, so nothing is done here but deciding when.
void DueWork::look() {
  if (!running_ || intake_.paused()) return;
  const std::optional<std::int64_t> due_us = next_due_us();
  if (!due_us || (sleeps_until_us_ && *sleeps_until_us_ <= *due_us)) return;
  const std::int64_t wait_us = *due_us - time_.now_us();
  if (wait_us <= 0) return soon_.ask();
  const std::int64_t wait_ms = wait_us / 1000 + 1;
  timer_.start(std::min(static_cast<std::uint64_t>(wait_ms), kSleepMsMax));
  sleeps_until_us_ = due_us;
}

void DueWork::work() {
  if (!running_ || intake_.paused()) return;
  const std::int64_t now_us = time_.now_us();
  const std::optional<std::int64_t> due_us = next_due_us();
  if (!due_us || *due_us > now_us) return;
  const embed::GilLock gil;
  for (const auto& pipeline : pipelines_) pipeline->on_due(gil, now_us);
}

}  // namespace machida::worker
