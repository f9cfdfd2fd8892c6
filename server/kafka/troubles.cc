#include "server/kafka/troubles.h"

#include "server/base/log.h"

namespace machida::kafka {

void Troubles::say(Trouble kind, std::string_view what, std::string_view and_then) {
  if (said_.insert(kind).second)
    log::warn("{}: {}; waiting for it to end{}", who_, what, and_then);
  else
    log::debug("{}: {}", who_, what);
}

void Troubles::over() {
  if (none()) return;
  forget();
  log::info("{}: goes on", who_);
}

}  // namespace machida::kafka
