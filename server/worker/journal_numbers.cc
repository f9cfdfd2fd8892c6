#include "server/worker/journal_numbers.h"

#include <algorithm>
#include <map>
#include <string>

#include "server/flow/stable_hash.h"

namespace machida::worker {

JournalNumbers::JournalNumbers(const plan::Plan& plan) {
  std::map<std::string, int> seen;  // several may have one name
  for (const plan::PipelineSpec& pipeline : plan.pipelines) {
    const std::string name = pipeline.name + '\0' + std::to_string(seen[pipeline.name]++);
    numbers_.push_back(static_cast<std::uint32_t>(flow::stable_hash_of_text(name)));
  }
}

std::optional<std::size_t> JournalNumbers::pipeline_of(std::size_t number) const {
  const auto found = std::find(numbers_.begin(), numbers_.end(), number);
  if (found == numbers_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - numbers_.begin());
}

}  // namespace machida::worker
