#include "server/flow/router.h"

#include "server/flow/call.h"

namespace machida::flow {

Router::Router(Place place, DeadLetters& dead_letters, std::vector<embed::Object> predicates,
               bool has_default)
    : place_(std::move(place)),
      dead_letters_(dead_letters),
      predicates_(std::move(predicates)),
      has_default_(has_default) {}

void Router::run(const embed::Gil& gil, Batch& records, std::vector<Batch>& out) {
  for (std::size_t i = 0; i < records.size(); ++i) {
    try {
      if (const std::optional<std::size_t> branch = branch_of(gil, records.at(i)))
        out[*branch].push(records.take(i));
      else
        dead_letters_.add(
            gil, place_,
            embed::made_error("LookupError",
                              "no branch's predicate holds, and the router has no default"),
            records.at(i));
    } catch (const embed::PythonError& error) {
      dead_letters_.add(gil, place_, error, records.at(i));
    }
  }
}

std::optional<std::size_t> Router::branch_of(const embed::Gil& gil, PyObject* record) const {
  for (std::size_t i = 0; i < predicates_.size(); ++i) {
    const Held answer(gil, call_one(gil, predicates_[i].get(), record));
    const int holds = PyObject_IsTrue(answer.get());
    if (holds < 0) embed::throw_pending(gil);
    if (holds > 0) return i;
  }
  if (has_default_) return predicates_.size();
  return std::nullopt;
}

}  // namespace machida::flow
