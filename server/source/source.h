// Where records come from, as the worker sees it: open, drain. Worker's thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "server/base/result.h"
#include "server/uv/open_connection.h"

namespace machida::source {

// How long one connection or topic may keep the loop: others want to be read, outputs written.
inline constexpr std::chrono::milliseconds kShareOfTurn{2};

// What to tell people once a source is open, a line each; or why it can't be.
using OnOpen = std::function<void(Result<std::vector<std::string>>)>;

// Calls back once everything written to the sinks so far has been delivered.
using WhenDelivered = std::function<void(std::function<void()>)>;

class Source {
 public:
  virtual ~Source() = default;
  // Before anything is connected: takes what others may have. Returns why it can't, or "".
  virtual std::string reserve() { return {}; }
  // Starts to read. `on_open` is called once, at once or later.
  virtual void open(OnOpen on_open) = 0;
  // Stops reading; what was read goes on through the pipeline. Idempotent.
  virtual void drain() = 0;
  // Nothing that was read is left to be processed, and the outside world has been told.
  virtual bool drained() const = 0;
  // When drained: the connections of its clients, for another source of the same pipeline to go on
  // with; this one has them no more.
  virtual std::vector<uv::OpenConnection> release() { return {}; }
  // Goes on, once it is open, with what another source has released or another process accepted.
  virtual void take_over(std::vector<uv::OpenConnection> connections) { (void)connections; }
};

}  // namespace machida::source
