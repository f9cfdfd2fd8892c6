// The epochs of one worker: ends them, has what changed written down, stored, and made visible.
//
//   open ── end ──> writing states ──> delivering ──> storing ──> stored ··> committing
//                                             open <── closing <·· committed <──┘
//
// The dotted steps wait for the other workers: the accord calls commit() and close().
// An epoch ends between two batches. Its states are written in slices while records of the next
// epoch are already processed; sinks without transactions (TCP) must have delivered its outputs
// before it is stored, since a restart would not make them again; the store works on another
// thread; then the transactional sinks (Kafka) commit what they had put into the outbox. One epoch
// at a time. An epoch in which nothing happened is not ended: epochs are progress, never clock
// time.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "server/checkpoint/accord.h"
#include "server/checkpoint/state_rows.h"
#include "server/flow/epoch.h"
#include "server/flow/epoch_states.h"
#include "server/flow/outlet.h"
#include "server/metrics/counter.h"
#include "server/store/epoch_store.h"
#include "server/store/input_journal.h"
#include "server/store/rows.h"

namespace machida::checkpoint {

// What the epochs need of their surroundings: a loop in the server, a scheduler in a simulation.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  // Runs `work` on another thread and `done` on this one.
  virtual void offload(std::function<void()> work, std::function<void()> done) = 0;
  // Calls Epochs::work() in the next turn, or after that time.
  virtual void work_soon() = 0;
  virtual void work_after(std::uint64_t delay_ms) = 0;
  // The time that slices of work are measured by.
  virtual std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }
};

class Epochs final : public EpochMember {
 public:
  static constexpr const char* kEpochs = "machida_checkpoint_epochs_total";
  static constexpr const char* kEpochMicros = "machida_checkpoint_epoch_us_total";
  static constexpr const char* kBarrierMicros = "machida_checkpoint_barrier_us_total";
  static constexpr const char* kCommitMicros = "machida_checkpoint_store_commit_us_total";
  static constexpr const char* kKeys = "machida_checkpoint_changed_keys_total";
  static constexpr const char* kStateBytes = "machida_checkpoint_state_bytes_total";
  static constexpr const char* kFailures = "machida_checkpoint_store_failures_total";

  struct Parts {
    store::EpochStore& store;
    store::InputJournal* journal = nullptr;  // if there is a source that needs it
    RowWriter& rows;
    std::vector<flow::EpochStates*> states;
    std::vector<flow::EpochSource*> sources;
    std::vector<flow::Delivery*> deliveries;  // sinks without transactions
    std::vector<flow::EpochSink*> sinks;      // sinks with
    Surroundings& surroundings;
    Accord& accord;
    std::function<void()> on_closed;  // after each epoch
    // The newest stored epoch is not closed: its outputs may not be visible yet.
    bool unfinished = false;
    // So many states are written between two looks at the clock.
    std::size_t states_at_once = 64;
  };
  // `newest`: the newest epoch that is stored, 0 when there is none, and its positions.
  Epochs(Parts parts, std::int64_t newest, std::vector<Position> positions,
         metrics::Registry& metrics);

  // Wants the open epoch to end if something happened in it and the one before is closed; if that
  // one is not, as soon as it is. Between two batches, without the lock.
  void end();
  // Of the accord: what comes from here on belongs to the next epoch. While no epoch is in work.
  void end_epoch(std::int64_t epoch) override;
  void commit(std::int64_t epoch) override;
  void close(std::int64_t epoch) override;
  bool in_work() const noexcept { return phase_ != Phase::kOpen; }
  // Nothing has happened since the newest closed epoch, and no epoch is in work.
  bool all_closed() const;
  // Goes on with the epoch in work. Throws StateNotSaved and store::StoreError.
  void work();

 private:
  enum class Phase {
    kOpen,
    kWriting,
    kDelivering,
    kStoring,
    kStored,
    kCommitting,
    kCommitted,
    kClosing,
  };

  bool has_progress() const;
  std::uint64_t micros_since(std::chrono::steady_clock::time_point start) const;
  void begin_end();
  bool write_states();
  bool delivered() const;
  void store();
  void on_stored();
  bool committed() const;
  void begin_close();
  void on_closed();

  Parts parts_;
  Phase phase_ = Phase::kOpen;
  bool end_wanted_ = false;
  std::int64_t newest_;  // that has ended
  std::vector<Position> closed_positions_;
  std::shared_ptr<store::Epoch> epoch_;  // in work; shared with the store's thread
  std::vector<std::uint64_t> marks_;     // of deliveries
  std::shared_ptr<std::exception_ptr> failure_;
  bool said_full_ = false;
  std::chrono::steady_clock::time_point began_, store_began_;
  struct {
    std::uint64_t keys, barrier_us, store_us;
  } last_{};  // of the epoch in work
  metrics::Counter &epochs_total_, &epoch_us_, &barrier_us_, &commit_us_, &keys_total_,
      &bytes_total_, &failures_total_;
};

}  // namespace machida::checkpoint
