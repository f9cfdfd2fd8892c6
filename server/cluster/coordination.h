// How the workers of an application begin, end epochs and drain together. One per worker; worker 0
// coordinates. No clock, no sockets: what it hears comes through on_message(), what it says goes
// through Peers.
//
// An epoch ends everywhere between the same records. The coordinator says EndEpoch; each worker
// stops its intake and sends a barrier behind what it has sent. A record may change worker several
// times, so barriers come in stages: that of stage s+1 is sent when those of stage s have come from
// all, since until then records of stage s may arrive and become some of stage s+1. After the last
// stage everything of the epoch is here: its end is taken, and one more barrier says so; when all
// have said it, the intake goes on. So nothing of the next epoch arrives before this one's end, no
// record has to be held back, and a worker that stands still makes the others wait, not grow.
//
// The epoch counts once every worker has stored it (server/checkpoint/accord.h).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "server/checkpoint/accord.h"
#include "server/cluster/peers.h"
#include "server/flow/intake.h"

namespace machida::cluster {

class Coordination final : public checkpoint::Accord {
 public:
  static constexpr std::uint32_t kCoordinator = 0;

  struct Parts {
    Peers& peers;
    flow::Intake& intake;  // paused while an epoch ends
    checkpoint::EpochMember& member;
    std::uint32_t stages = 0;          // how often a record may change worker
    std::int64_t newest_epoch = 0;     // that counts; the same in all workers
    bool member_in_work = false;       // it closes that epoch first, and says closed()
    std::function<void()> on_ready;    // all workers are
    std::function<void()> on_drained;  // all workers are, and the last epoch has closed
    std::function<void(std::int64_t epoch)> on_closed = nullptr;  // here
    // In the epoch behind the end of all sources, of all workers or of none: all records of `stage`
    // have been run here, so no more will come for the steps before the next exchange. From 0 to
    // `stages`, in order.
    std::function<void(std::uint32_t stage)> on_stage_over = nullptr;
  };
  explicit Coordination(Parts parts);

  // This worker can take records of others.
  void ready();
  // This worker's sources have ended.
  void sources_drained();
  bool all_drained() const noexcept { return all_drained_; }
  // What a peer said, of the messages that are not about records. False: it makes no sense.
  bool on_message(std::uint32_t from, const wire::LinkMessage& message);

  void want_end() override;
  void stored(std::int64_t epoch) override;
  void committed(std::int64_t epoch) override;
  void closed(std::int64_t epoch) override;

 private:
  // What the coordinator waits for from every worker.
  enum class Round { kNone, kStoring, kCommitting };

  void tell_coordinator(const wire::LinkMessage& message);
  void tell_all(const wire::LinkMessage& message);
  bool is_coordinator() const { return parts_.peers.own() == kCoordinator; }

  // As the coordinator hears it, also of itself.
  bool coordinate(const wire::LinkMessage& message);
  bool count(std::uint32_t& so_far);  // whether all have said it
  void begin_round();

  // As every worker hears it, also the coordinator.
  bool follow(const wire::LinkMessage& message);
  void end_when_free();
  void begin_end();
  void advance();
  bool on_barrier(const wire::Barrier& barrier);
  void say_stage_over(std::uint32_t stage);

  Parts parts_;
  // Every worker:
  std::int64_t epoch_;      // that ends or has ended
  bool end_waits_ = false;  // for the one before to be over here
  bool member_in_work_;
  std::uint32_t stage_ = 0;                 // whose barriers are awaited; 0: no epoch is ending
  std::vector<std::uint32_t> barriers_[2];  // by stage, of odd and even epochs: a peer may be ahead
  bool drained_said_ = false;
  bool all_drained_ = false;
  bool sources_over_ = false;  // of all workers: the epoch that ends is the last
  // The coordinator:
  Round round_ = Round::kNone;
  bool end_wanted_ = false;
  std::uint32_t ready_ = 0, stored_ = 0, committed_ = 0, drained_ = 0;
  bool last_round_ = false;  // the one in work is behind the end of all sources
};

}  // namespace machida::cluster
