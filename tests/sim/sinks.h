// The ends where outputs go: transactions of the broker, whose order of sending, committing and
// recovering is that of sink::KafkaEpochSink, and a connection that delivers later, as
// sink::TcpSink does.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/flow/epoch.h"
#include "server/flow/intake.h"
#include "server/flow/outlet.h"
#include "server/sink/outbox.h"
#include "tests/sim/broker.h"
#include "tests/sim/scheduler.h"

namespace machida::sim {

class TransactionSink final : public flow::MessageOutlet, public flow::EpochSink {
 public:
  struct Calls {
    std::function<void()> on_connected;
    std::function<void()> on_committed;
    std::function<void(const std::string&)> on_failed;  // the run can't go on
  };
  TransactionSink(Scheduler& scheduler, Broker& broker, std::string id, const std::string& identity,
                  std::uint64_t delay_us_max, std::int64_t newest_epoch, Calls calls);
  ~TransactionSink() override { *alive_ = false; }

  // The outputs of the newest stored epoch, which may not be visible yet. Before open().
  void recover(sink::Outbox::Chunks outbox);
  void open();
  bool connected() const noexcept { return connected_; }
  bool drained() const { return ended_.empty() && open_.empty(); }

  std::string write(std::string_view value, std::optional<std::string_view> key,
                    std::optional<std::int32_t> partition) override;
  std::uint64_t mark() override { return static_cast<std::uint64_t>(newest_epoch_ + 1); }
  bool delivered(std::uint64_t mark) override { return committed(static_cast<std::int64_t>(mark)); }

  const std::string& id() const override { return id_; }
  bool has_outputs() const override { return !open_.empty(); }
  sink::Outbox::Chunks end_epoch(std::int64_t epoch) override;
  void commit(std::int64_t epoch) override;
  bool committed(std::int64_t epoch) const override { return committed_ >= epoch; }

 private:
  struct EndedEpoch {
    std::int64_t number;
    sink::Outbox outbox;
  };
  void introduce();
  void commit_front();
  void on_answer(kafka::Outcome outcome);
  void front_is_committed();
  void later(std::function<void()> action);

  Scheduler& scheduler_;
  Broker& broker_;
  const std::string id_, transactional_id_;
  const std::uint64_t delay_us_max_;
  const Calls calls_;
  std::uint64_t producer_ = 0;  // 0: it is not introduced
  bool connected_ = false;
  bool busy_ = false;  // an answer of the broker is awaited
  bool sent_ = false;  // the messages of the front, into the open transaction
  std::deque<EndedEpoch> ended_;
  sink::Outbox open_;
  std::int64_t newest_epoch_, stored_epoch_, committed_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class ConnectionSink final : public flow::Outlet {
 public:
  // `room` is paused when too much waits.
  ConnectionSink(Scheduler& scheduler, flow::Intake& room, std::uint64_t delay_us_max,
                 std::vector<std::string>& received);
  ~ConnectionSink() override { *alive_ = false; }

  bool drained() const { return waiting_.empty(); }
  void write(std::string_view bytes) override;
  std::uint64_t mark() override { return written_; }
  bool delivered(std::uint64_t mark) override { return delivered_ >= mark; }

 private:
  static constexpr std::size_t kFullOutputs = 20, kLowOutputs = 5;
  void deliver_later();

  Scheduler& scheduler_;
  flow::Intake& room_;
  const std::uint64_t delay_us_max_;
  std::vector<std::string>& received_;
  std::deque<std::string> waiting_;
  std::uint64_t written_ = 0, delivered_ = 0;
  bool under_way_ = false, full_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace machida::sim
