#include "server/flow/exchange_step.h"

#include "server/base/check.h"
#include "server/flow/call.h"

namespace machida::flow {

ExchangeStep::ExchangeStep(Place place, DeadLetters& dead_letters, Parts parts)
    : Step(std::move(place), dead_letters), parts_(std::move(parts)), outgoing_(parts_.workers) {}

void ExchangeStep::run(const embed::Gil& gil, Batch& in, Batch& out) {
  for (Batch& batch : outgoing_) batch.clear(gil);  // of a run that user code ended
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::uint32_t owner = parts_.assignment->owner_of(gil, in.at(i));
    if (owner == parts_.own) {
      out.push(in.take(i), parts_.assignment->take_key());
    } else if (owner == KeyOwners::kNobody) {
      failed(gil, in.at(i));
    } else {
      MACHIDA_CHECK(owner < parts_.workers, "an assignment named a worker that there is not");
      outgoing_[owner].push(in.take(i));
    }
  }
  for (std::uint32_t worker = 0; worker < parts_.workers; ++worker) {
    Batch& batch = outgoing_[worker];
    if (batch.empty()) continue;
    parts_.exchanged.add(batch.size());
    parts_.exchange.send(gil, worker, parts_.next, place(), batch);
    batch.clear(gil);
  }
}

}  // namespace machida::flow
