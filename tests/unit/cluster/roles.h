// What the test program is when a test starts it as another process: a worker of a cluster, or a
// supervisor. Neither has an interpreter.
#pragma once

#include <string>
#include <vector>

#include "server/cluster/supervisor.h"

namespace machida::tests {

// A descriptor that every process of a test inherits: it is closed when the last one has ended.
constexpr int kAliveDescriptor = 100;

// The command line of a worker that does as `behaviour` says:
//   drain     tells the supervisor Committed when it has heard of all peers; ends when told to
//   stubborn  the same, but says Drained and goes on
//   ask       the same, but asks for the drain itself
//   die       kills itself
//   deaf      takes no notice when another has failed
//   then=N    ends with status N when another has failed
//   orphan    believes that another process started it
//   status=N  ends with that status
//   alive     writes a byte to kAliveDescriptor, then like drain
std::vector<std::string> worker_arguments(const cluster::WorkerStart& start,
                                          const std::string& behaviour);

// The command line of a supervisor of so many workers that are `alive`.
std::vector<std::string> supervisor_arguments(int workers);

// Runs such a program if `argc` and `argv` are one's command line: true, and its status.
bool play_role(int argc, char** argv, int& status);

}  // namespace machida::tests
