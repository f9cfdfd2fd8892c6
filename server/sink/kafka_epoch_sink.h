// Produces a pipeline's outputs to a topic in transactions, one per epoch of the checkpoint, so
// that readers with read_committed see each output exactly once, whatever is killed when.
//
// Messages go to the brokers while their epoch is open; they also stay in the epoch's outbox, which
// is stored with the epoch. Once it is stored its transaction is committed. Whatever goes wrong in
// between, the outbox has what is to be produced again: in the same transaction after an abort,
// with a new producer after a fatal error, after a restart from the store. Whether an epoch's
// transaction was committed before the trouble is asked of the brokers (kafka/transactions.h).
// Worker's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "server/flow/dead_letters.h"
#include "server/flow/epoch.h"
#include "server/flow/intake_hold.h"
#include "server/flow/outlet.h"
#include "server/kafka/producer.h"
#include "server/kafka/transactions.h"
#include "server/kafka/troubles.h"
#include "server/metrics/counter.h"
#include "server/sink/outbox.h"
#include "server/sink/sink.h"
#include "server/uv/loop.h"
#include "server/uv/offload.h"
#include "server/uv/timer.h"

namespace machida::sink {

class KafkaEpochSink final : public Sink,
                             public flow::MessageOutlet,
                             public flow::EpochSink,
                             public kafka::ProducerEvents {
 public:
  static constexpr const char* kMessages = "machida_sink_kafka_messages_total";
  static constexpr const char* kTroubles = "machida_sink_kafka_troubles_total";
  static constexpr const char* kAborts = "machida_sink_kafka_aborted_transactions_total";

  struct Calls {
    std::function<void()> on_connected;  // the brokers answer, and are asked what they have
    std::function<void()> on_full;       // the open epoch is large: it should end early
    std::function<void()> on_committed;
  };
  // `id`: what the store knows this sink by. `settings.transactional_id` is this sink's alone.
  // `newest_epoch`: the newest one that is stored.
  KafkaEpochSink(uv::Loop& loop, flow::Intake& intake, std::string id,
                 kafka::ProducerSettings settings, flow::Place place,
                 flow::DeadLetters& dead_letters, metrics::Registry& metrics,
                 std::int64_t newest_epoch, Calls calls);
  ~KafkaEpochSink() override;

  // The outputs of the newest stored epoch, which may not be visible yet. Before open().
  void recover(Outbox::Chunks outbox);

  void open() override;
  bool connected() const override { return connected_; }
  bool drained() override { return ended_.empty() && open_.empty(); }
  std::string undelivered() const override;

  std::string write(std::string_view value, std::optional<std::string_view> key,
                    std::optional<std::int32_t> partition) override;
  // Delivered means: the epoch is committed.
  std::uint64_t mark() override { return static_cast<std::uint64_t>(newest_epoch_ + 1); }
  bool delivered(std::uint64_t mark) override { return committed(static_cast<std::int64_t>(mark)); }

  const std::string& id() const override { return id_; }
  bool has_outputs() const override { return !open_.empty(); }
  Outbox::Chunks end_epoch(std::int64_t epoch) override;
  void commit(std::int64_t epoch) override;
  bool committed(std::int64_t epoch) const override { return committed_ >= epoch; }

 private:
  enum class Phase {
    kStarting,    // a producer is made known to the brokers
    kNoMessages,  // no transaction is open
    kOpen,        // messages of front() are sent
    kCommitting,
    kAborting,
  };
  struct EndedEpoch {
    std::int64_t number;
    Outbox outbox;
  };
  struct Started {
    kafka::Ended ended;
    kafka::Trouble trouble = kafka::Trouble::kBrokers;  // what kept it from starting
    bool introduced = false;
    std::int64_t visible_epoch = 0;
  };

  void on_delivered(std::uint64_t tag, const kafka::OutMessage& message,
                    const kafka::Fate& fate) override;
  void on_trouble(kafka::Trouble kind, const std::string& what) override;
  void on_fatal(const std::string& what) override;

  void make_producer();
  void end_producer();
  void start();
  void on_started(const Started& started);
  void start_anew(const std::string& why);
  void send_some();
  bool send(const kafka::OutMessage& message, std::uint64_t number);
  void commit_when_delivered();
  void on_commit_ended(const kafka::Ended& ended);
  void abort(const std::string& why);
  void on_abort_ended(const kafka::Ended& ended);
  void front_is_committed();
  void from_the_start();
  void drop(std::uint64_t number, std::string_view value, const std::string& why);
  void follow_queue();
  void well_again();
  void offload(std::function<kafka::Ended(kafka::Transactions&)> work,
               void (KafkaEpochSink::*then)(const kafka::Ended&));
  const Outbox& front() const { return ended_.empty() ? open_ : ended_.front().outbox; }

  uv::Loop& loop_;
  flow::IntakeHold intake_;
  std::string id_;
  kafka::ProducerSettings settings_;
  flow::Place place_;
  flow::DeadLetters& dead_letters_;
  metrics::Counter& messages_total_;
  metrics::Counter& troubles_total_;
  kafka::Troubles troubles_;
  metrics::Counter& aborts_total_;
  Calls calls_;

  uv::Wake wake_;
  uv::Timer retry_;
  uv::NextTurn soon_;
  uv::TurnEnd turn_end_;
  std::shared_ptr<kafka::Producer> producer_;
  std::shared_ptr<kafka::Transactions> transactions_;
  std::shared_ptr<bool> alive_;  // asked by what comes back from other threads
  Phase phase_ = Phase::kStarting;
  bool introduced_ = false;  // the producer, to the brokers: that is done once
  bool connected_ = false;
  bool lost_ = false;       // the producer said that it is of no use any more
  std::uint32_t life_ = 0;  // of the producer; answers of an earlier one are not looked at

  std::deque<EndedEpoch> ended_;  // not committed yet
  Outbox open_;
  std::int64_t newest_epoch_;  // that has ended
  std::int64_t stored_epoch_;  // may be committed
  std::int64_t committed_;     // the newest whose outputs are visible
  bool asked_to_end_ = false;  // the open epoch

  // Of the transaction in work, on front():
  Outbox::Cursor sent_;
  std::uint64_t undelivered_ = 0;    // sent, fate unknown
  std::uint32_t attempt_ = 1;        // fates of earlier ones are not looked at
  std::set<std::uint64_t> dropped_;  // numbers of messages that became dead letters
};

}  // namespace machida::sink
