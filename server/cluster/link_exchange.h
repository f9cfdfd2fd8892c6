// The exchange between processes: each batch is serialised once and sent over the link to the
// worker's peer.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "embed/gil.h"
#include "server/cluster/peers.h"
#include "server/flow/batch_codec.h"
#include "server/flow/exchange.h"
#include "server/flow/pipeline.h"

namespace machida::cluster {

class LinkExchange final : public flow::Exchange {
 public:
  LinkExchange(Peers& peers, flow::BatchCodec codec) : peers_(peers), codec_(std::move(codec)) {}

  void send(const embed::Gil&, std::uint32_t worker, flow::StepAddress to, const flow::Place& place,
            flow::Batch& records) override;

  // What a peer's send() has sent goes on here, in this worker's pipelines. False: there is no such
  // step, so the peer runs another application.
  bool receive(const embed::Gil&, const wire::Batch& batch,
               const std::vector<std::unique_ptr<flow::Pipeline>>& pipelines);

 private:
  Peers& peers_;
  flow::BatchCodec codec_;
  flow::Batch arrived_;  // kept for its capacity
};

}  // namespace machida::cluster
