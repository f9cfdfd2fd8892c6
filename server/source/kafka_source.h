// Consumes a topic as a member of a group and runs the pipeline on its messages. Offsets are
// committed only for what has been processed and delivered by the sinks, so a crash repeats but
// never skips. librdkafka finds brokers, leaders and partitions again by itself; what is wrong is
// said once and until it is over. Worker's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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

class KafkaSource final : public Source, public kafka::ConsumerEvents {
 public:
  static constexpr const char* kCommits = "machida_source_kafka_commits_total";

  KafkaSource(uv::Loop& loop, flow::Pipeline& pipeline, flow::Intake& intake,
              kafka::ConsumerSettings settings, std::uint64_t commit_interval_ms,
              WhenDelivered when_delivered, metrics::Registry& metrics);
  ~KafkaSource() override;

  // Open when a broker has answered: partitions are assigned, or the topic does not exist yet.
  void open(OnOpen on_open) override;
  void drain() override;
  bool drained() const override { return phase_ == Phase::kClosed; }

 private:
  enum class Phase { kIdle, kJoining, kRunning, kRevoking, kDraining, kClosing, kClosed };

  void on_assigned(const std::vector<std::int32_t>& partitions) override;
  void on_revoked(bool lost) override;
  void on_committed(const std::string& error) override;
  void on_trouble(kafka::Trouble kind, const std::string& what) override;

  void work();
  void run_messages();
  void begin_commit();
  void commit(const kafka::Positions& positions);
  void give_up();
  void finish_drain();
  void close_when_answered();
  void close_soon();
  void close();

  uv::Loop& loop_;
  flow::Intake& intake_;
  kafka::ConsumerSettings settings_;
  std::uint64_t commit_interval_ms_;
  WhenDelivered when_delivered_;
  metrics::Counter& commits_total_;
  KafkaStatus status_;

  KafkaMessages messages_;
  Phase phase_ = Phase::kIdle;
  uv::Wake wake_;
  uv::NextTurn soon_;       // messages are left for the next turn
  uv::Timer commit_timer_;  // and the sign of life that the group expects
  std::unique_ptr<kafka::Consumer> consumer_;
  bool uncommitted_ = false;  // positions moved since the last commit
  bool committing_ = false;
  int unanswered_ = 0;                    // commits
  std::uint64_t commit_deadline_ms_ = 0;  // of the last commit when draining; 0: not asked yet
};

}  // namespace machida::source
