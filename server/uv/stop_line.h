// What processes that share a job know of each other's stop signals while user code keeps their
// loops busy, so that nobody reads the links between them: an eventfd that all of them have, which
// is written and never read, and whether a process is gone. One at a time per thread counts: the
// innermost.
#pragma once

#include <poll.h>

#include <vector>

#include "server/uv/socket_pair.h"

namespace machida::uv {

class StopLine {
 public:
  // `line`: the eventfd. `peers`: sockets to the other processes, which stay their owner's; -1 is
  // left out. Throws std::runtime_error when there are too many descriptors.
  StopLine(Descriptor line, const std::vector<int>& peers);
  ~StopLine();
  StopLine(const StopLine&) = delete;
  StopLine& operator=(const StopLine&) = delete;

  // Tells all processes to stop.
  void tell() noexcept;
  // A process was told to stop, or is gone.
  bool told() const noexcept;

  // This thread's; null: there is none.
  static StopLine* here() noexcept;

 private:
  Descriptor line_;
  std::vector<Descriptor> peers_;  // of its own: who uses the link may close it
  mutable std::vector<pollfd> looked_at_;
  StopLine* outer_;
};

// Whether this process has had a stop signal, or another one with the same job, which is told then.
bool stop_asked() noexcept;

}  // namespace machida::uv
