#include "server/base/crash_point.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <string>

namespace machida {
namespace {

constexpr std::array<std::string_view, 17> kNames = {
    "snapshot.before",     "snapshot.after",    "store.commit.before", "store.commit.after",
    "produce.before",      "produce.after",     "offsets.before",      "offsets.after",
    "transaction.before",  "transaction.after", "epoch.close.before",  "epoch.close.after",
    "compaction.before",   "compaction.middle", "compaction.after",    "storage.write.before",
    "storage.write.after",
};
static_assert(kNames.size() == static_cast<std::size_t>(CrashPoint::kStorageWriteAfter) + 1);

struct Wanted {
  int point = -1;  // none
  std::atomic<int> times{1};

  Wanted() {
    const char* variable = std::getenv("MACHIDA_CRASH_AT");
    if (!variable) return;
    const std::string text = variable;
    const std::size_t colon = text.find(':');
    for (std::size_t i = 0; i < kNames.size(); ++i)
      if (kNames[i] == text.substr(0, colon)) point = static_cast<int>(i);
    if (colon != std::string::npos) times = std::atoi(text.c_str() + colon + 1);
  }
};

}  // namespace

std::span<const std::string_view> crash_point_names() { return kNames; }

void crash_at(CrashPoint point) {
  static Wanted wanted;
  if (static_cast<int>(point) == wanted.point && --wanted.times == 0) kill(getpid(), SIGKILL);
}

}  // namespace machida
