// What the supervisor has to know of an application, asked of a process of this program that loads
// it: mistakes are reported there, once, before anything is started.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "server/base/host_port.h"
#include "server/base/result.h"
#include "server/plan/plan.h"

namespace machida {

struct Facts {
  int status = 0;  // of the process; what follows is only there when it is 0
  std::string name;
  bool has_states = false;
  bool has_kafka_sources = false;
  struct Address {
    std::size_t pipeline;
    std::string pipeline_name;
    HostPort at;
  };
  std::vector<Address> addresses;  // that TCP sources listen on
};

// Starts the process with `argv`, the user's command line, and waits for it.
Result<Facts> inquire(const std::vector<std::string>& argv);

// In that process: writes the answer.
void answer_inquiry(const plan::Plan& plan, int output);

}  // namespace machida
