#include "server/store/garbage.h"

#include <algorithm>
#include <limits>

namespace machida::store {
namespace {

// Deletes numbers below `end`, `step` of them at a time. Whether there are none left.
bool delete_below(Database& store, const char* select_min, const char* delete_below_it,
                  std::int64_t end, std::int64_t step, Deadline deadline) {
  Statement erase = store.prepare(delete_below_it);
  for (;;) {
    const std::int64_t first = store.number(select_min, std::numeric_limits<std::int64_t>::max());
    if (first >= end) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    erase.bind(1, std::min(first + step, end)).run();
  }
}

}  // namespace

bool delete_garbage(Database& store, const EpochRecord& base, Deadline deadline) {
  return !(delete_below(store, "SELECT min(id) FROM snap", "DELETE FROM snap WHERE id<?1",
                        base.next_row(), 500, deadline) &&
           delete_below(store, "SELECT min(epoch) FROM position",
                        "DELETE FROM position WHERE epoch<?1", base.number, 50, deadline) &&
           delete_below(store, "SELECT min(n) FROM epoch", "DELETE FROM epoch WHERE n<?1",
                        base.number, 500, deadline));
}

}  // namespace machida::store
