// The plan for people (`--check`) and for programs (`--check=json`).
#pragma once

#include <string>

#include "embed/gil.h"
#include "server/plan/plan.h"

namespace machida::plan {

// Indented text, one line per source, step and sink; ends with a newline.
std::string describe_text(const embed::Gil&, const Plan& plan);

// {"application", "pipelines": [{"name", "source", "steps": [], "sinks": []}], "states": []}
std::string describe_json(const embed::Gil&, const Plan& plan);

}  // namespace machida::plan
