// The sections of a configuration and the storage sinks that they are for: which are missing, which
// nobody needs, and what the sinks themselves say about their sections.
#pragma once

#include <string>
#include <vector>

#include "embed/gil.h"
#include "server/config/configuration.h"
#include "server/plan/plan.h"

namespace machida::plan {

// A storage sink and how people call the place where it is used: "pipeline 'main'".
struct UsedSink {
  const StorageSinkSpec& sink;
  std::string where;
};
std::vector<UsedSink> storage_sinks_of(const Plan& plan);

// Notes every mistake with the configuration. A sink without a name has no section. A sink with the
// method config_mistakes(section), which yields (key or None, text), is asked.
void check_sink_sections(const embed::Gil&, const std::vector<UsedSink>& sinks,
                         config::Configuration& config);

}  // namespace machida::plan
