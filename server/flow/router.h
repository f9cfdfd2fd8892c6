// Chooses one of a pipeline's sinks for each output: the first branch whose predicate holds.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/batch.h"
#include "server/flow/dead_letters.h"

namespace machida::flow {

class Router {
 public:
  // `has_default`: what no predicate holds for goes to one branch more; without, it becomes a dead
  // letter, as does what a predicate raises on.
  Router(Place place, DeadLetters& dead_letters, std::vector<embed::Object> predicates,
         bool has_default);

  std::size_t branches() const noexcept { return predicates_.size() + (has_default_ ? 1 : 0); }

  // Moves each record of `records` into the batch of its branch. `out` has one for each.
  void run(const embed::Gil&, Batch& records, std::vector<Batch>& out);

 private:
  std::optional<std::size_t> branch_of(const embed::Gil&, _object* record) const;

  Place place_;
  DeadLetters& dead_letters_;
  std::vector<embed::Object> predicates_;
  bool has_default_;
};

}  // namespace machida::flow
