#include "server/end_in_time.h"

#include <algorithm>
#include <cstdlib>

#include "embed/error.h"
#include "embed/value.h"
#include "server/base/log.h"

namespace machida {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kOrdinary{1000};
constexpr milliseconds kPatienceMax = std::chrono::hours(24 * 365);

std::string thread_names(const embed::Gil& gil) {
  try {
    return embed::str(gil, embed::call(gil, embed::imported(gil, "wallaroo.threads", "names")));
  } catch (const embed::PythonError& error) {
    return error.what();
  }
}

}  // namespace

EndInTime::EndInTime(const embed::Gil& gil, int status, milliseconds patience)
    : status_(status),
      patience_(std::clamp(patience, milliseconds(0), kPatienceMax)),
      threads_(thread_names(gil)),
      watch_([this] { watch(); }) {}

EndInTime::~EndInTime() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_one();
  watch_.join();
}

void EndInTime::watch() {
  if (over_within(kOrdinary)) return;
  if (patience_ > milliseconds(0)) {
    log::warn(
        "waiting for the application's {}, {} s at most",
        threads_.empty() ? "atexit functions" : "threads that are no daemons (" + threads_ + ")",
        static_cast<double>(patience_.count()) / 1000);
    if (over_within(patience_)) return;
    log::warn("they have not ended: leaving them");
  }
  std::_Exit(status_);
}

bool EndInTime::over_within(milliseconds time) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, time, [this] { return over_; });
}

}  // namespace machida
