// Consumes a topic from positions that are part of the checkpoint: after a crash it goes on behind
// the last committed epoch, whatever the brokers were told. No consumer group decides: all
// partitions of the topic are this source's, or its share of them where there are several workers.
// The group's offsets are where a new partition starts
// and, after each epoch, what other tools are shown. Worker's thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/flow/epoch.h"
#include "server/flow/intake.h"
#include "server/flow/pipeline.h"
#include "server/kafka/consumer.h"
#include "server/metrics/counter.h"
#include "server/source/kafka_messages.h"
#include "server/source/kafka_status.h"
#include "server/source/source.h"
#include "server/uv/loop.h"
#include "server/uv/offload.h"
#include "server/uv/timer.h"

namespace machida::source {

class KafkaEpochSource final : public Source,
                               public flow::EpochSource,
                               public kafka::ConsumerEvents {
 public:
  // The partitions p with p % of == index.
  struct Share {
    std::int32_t index = 0;
    std::int32_t of = 1;
    bool has(std::int32_t partition) const { return partition % of == index; }
  };
  // `restored`: the positions of the newest epoch; those of other sources are left alone.
  KafkaEpochSource(uv::Loop& loop, flow::Pipeline& pipeline, flow::Intake& intake,
                   kafka::ConsumerSettings settings, Share share,
                   const std::vector<Position>& restored, metrics::Registry& metrics);
  ~KafkaEpochSource() override;

  void open(OnOpen on_open) override;
  void drain() override { draining_ = true; }
  bool drained() const override { return draining_; }

  void positions(std::vector<Position>& out) const override;
  void passed(const std::vector<Position>& positions) override;

 private:
  void on_assigned(const std::vector<std::int32_t>&) override {}
  void on_revoked(bool) override {}
  void on_committed(const std::string& error) override;
  void on_trouble(kafka::Trouble kind, const std::string& what) override;

  void work();
  void search();
  void on_found(const kafka::PartitionsFound& found);

  uv::Loop& loop_;
  flow::Intake& intake_;
  kafka::ConsumerSettings settings_;
  const Share share_;
  std::string id_;  // of its positions
  KafkaStatus status_;
  KafkaMessages messages_;
  uv::Wake wake_;
  uv::NextTurn soon_;
  uv::Timer search_timer_;
  std::unique_ptr<kafka::Consumer> consumer_;
  std::shared_ptr<bool> alive_;  // asked by what comes back from other threads
  bool assigned_ = false;
  bool draining_ = false;
};

}  // namespace machida::source
