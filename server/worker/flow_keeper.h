// Keeps what a dataflow remembers over a restart: one per run, in the process that has its store.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/rows.h"
#include "server/uv/loop.h"

namespace machida::worker {

class FlowKeeper {
 public:
  virtual ~FlowKeeper() = default;
  // The newest epoch that is stored; 0: none.
  virtual std::uint64_t newest_epoch() const = 0;
  // Every state of that epoch, in no order: the step's id, the key, its snapshot.
  using OnState = std::function<void(const std::string& step, const store::Key& key,
                                     std::string_view snapshot)>;
  virtual void read(const OnState& on_state) = 0;
  // Stores what changed in an epoch, in all workers, together or not at all. `on_stored` is called
  // on the loop when it is durable, maybe within store(); a failure is thrown there. One epoch at a
  // time.
  virtual void store(uv::Loop& loop, std::uint64_t epoch, std::vector<store::StateRows> rows,
                     std::function<void()> on_stored) = 0;
  // The run ends: what can't be stored now is not waited for.
  virtual void give_up() = 0;
};

}  // namespace machida::worker
