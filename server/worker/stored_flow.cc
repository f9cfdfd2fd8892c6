#include "server/worker/stored_flow.h"

namespace machida::worker {

void StoredFlow::store(std::uint64_t epoch, std::vector<store::StateRows> rows,
                       std::function<void()> on_stored) {
  if (!rows.empty()) parts_.commit(epoch, time_.now_us(), rows);
  on_stored();
}

}  // namespace machida::worker
