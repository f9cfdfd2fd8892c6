// The applications that a simulation runs: real plans of Python code. What they put out does not
// depend on how records of different streams mix, only on the order within a stream and key, which
// the server promises to keep; so every run of the same input has the same outputs and states.
//
// An input is the text "stream number a b kind"; `a` and `b` are keys. An output is the text "chain
// n ...": where order is kept, n grows along each chain.
#pragma once

#include <string>
#include <vector>

#include "embed/gil.h"
#include "server/plan/plan.h"

namespace machida::sim {

struct Application {
  plan::Plan plan;
  bool has_clients = true;  // a pipeline from TCP to TCP beside the one from Kafka to Kafka
  bool in_order = true;
};

// All of them.
std::vector<Application> applications(const embed::Gil&);

// Of Application::plan.
constexpr std::size_t kLogPipeline = 0, kClientPipeline = 1;

// One key of kListedKeys, or one that no application lists.
constexpr std::size_t kListedKeys = 8;
std::string key_of(std::uint64_t number);

}  // namespace machida::sim
