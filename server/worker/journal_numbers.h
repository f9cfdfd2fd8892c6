// Which pipeline a journaled batch is for: a number made of the pipeline's name, so that an
// application whose pipelines were added, removed or moved since gets each batch where it belongs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "server/plan/plan.h"

namespace machida::worker {

class JournalNumbers {
 public:
  explicit JournalNumbers(const plan::Plan& plan);

  std::uint32_t of(std::size_t pipeline) const { return numbers_.at(pipeline); }
  // Nothing: the application has no such pipeline any more.
  std::optional<std::size_t> pipeline_of(std::size_t number) const;

 private:
  std::vector<std::uint32_t> numbers_;  // by pipeline
};

}  // namespace machida::worker
