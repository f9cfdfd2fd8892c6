#include "server/worker/stored_flow.h"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>

#include "server/base/log.h"
#include "server/uv/offload.h"

namespace machida::worker {
namespace {
constexpr std::chrono::seconds kStoreAgain{1};
}  // namespace

struct StoredFlow::Waiting {
  std::mutex mutex;
  std::condition_variable changed;
  bool given_up = false;

  // Before the next attempt. False: there shall be none.
  bool wait() {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, kStoreAgain, [this] { return given_up; });
    return !given_up;
  }
};

StoredFlow::StoredFlow(const std::string& directory, std::int64_t backup_interval_us,
                       const SystemTime& time)
    : parts_(std::make_unique<store::RecoveryParts>(directory, backup_interval_us)),
      waiting_(std::make_shared<Waiting>()),
      time_(time) {}

void StoredFlow::give_up() {
  const std::lock_guard lock(waiting_->mutex);
  waiting_->given_up = true;
  waiting_->changed.notify_all();
}

void StoredFlow::store(uv::Loop& loop, std::uint64_t epoch, std::vector<store::StateRows> rows,
                       std::function<void()> on_stored) {
  if (rows.empty()) return on_stored();
  const auto failure = std::make_shared<std::exception_ptr>();
  const auto work = [parts = parts_.get(), waiting = waiting_, epoch, rows = std::move(rows),
                     now_us = time_.now_us(), failure] {
    bool said_full = false;
    while (true) {
      try {
        parts->commit(epoch, now_us, rows);
        if (said_full) log::info("epoch {} is stored", epoch);
        return;
      } catch (const store::StoreFull& full) {
        if (!std::exchange(said_full, true))
          log::error("epoch {} can't be stored: {}; tried again every second", epoch, full.what());
        *failure = waiting->wait() ? nullptr : std::current_exception();
      } catch (...) {
        *failure = std::current_exception();
      }
      if (*failure) return;
    }
  };
  uv::offload(loop, work, [failure, on_stored = std::move(on_stored)] {
    if (*failure) std::rethrow_exception(*failure);
    on_stored();
  });
}

}  // namespace machida::worker
