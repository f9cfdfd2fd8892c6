// The process in front of several workers: finds out what the application listens on, binds those
// addresses, sees to it that the workers' stores agree, and supervises. It runs no Python itself.
#pragma once

#include <string>
#include <vector>

#include "server/options.h"

namespace machida {

// `argv`: the command line as it was given. Returns the process's exit status. Throws
// store::StoreError when the resilience directory can't be used.
int supervise(const Options& options, const std::vector<std::string>& argv);

// Whether the resilience directory is another number of workers' than the one worker that is
// wanted, so that a supervisor has to change it.
bool needs_supervisor(const Options& options);

// One of the original's command lines for a worker that the initializer's process runs already:
// waits for SIGTERM or SIGINT. Returns the exit status.
int follow();

}  // namespace machida
