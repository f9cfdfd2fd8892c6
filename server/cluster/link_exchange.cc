#include "server/cluster/link_exchange.h"

namespace machida::cluster {

void LinkExchange::send(const embed::Gil& gil, std::uint32_t worker, flow::StepAddress to,
                        const flow::Place& place, flow::Batch& records) {
  codec_.encode(gil, records, place, [&](std::uint32_t count, std::string_view bytes) {
    peers_.send(worker, wire::Batch{to.pipeline, to.step, count, bytes});
  });
  records.clear(gil);
}

bool LinkExchange::receive(const embed::Gil& gil, const wire::Batch& batch,
                           const std::vector<std::unique_ptr<flow::Pipeline>>& pipelines) {
  if (batch.pipeline >= pipelines.size()) return false;
  flow::Pipeline& pipeline = *pipelines[batch.pipeline];
  if (batch.step >= pipeline.steps()) return false;
  arrived_.clear(gil);
  codec_.decode(gil, batch.records, pipeline.place_of(batch.step), arrived_);
  pipeline.run_from(gil, batch.step, arrived_);
  return true;
}

}  // namespace machida::cluster
