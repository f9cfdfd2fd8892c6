// What makes a worker survive being killed: its directory, store, journal and epochs, on its loop.
// Made before the sinks and sources, which take part in the epochs; start() when all of them exist.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/pickling.h"
#include "server/checkpoint/accord.h"
#include "server/checkpoint/epochs.h"
#include "server/checkpoint/journaled_inputs.h"
#include "server/checkpoint/state_rows.h"
#include "server/flow/epoch.h"
#include "server/flow/intake.h"
#include "server/flow/outlet.h"
#include "server/flow/state_table.h"
#include "server/metrics/counter.h"
#include "server/store/directory.h"
#include "server/store/journal.h"
#include "server/store/store.h"
#include "server/uv/loop.h"
#include "server/uv/timer.h"
#include "server/worker/membership.h"

namespace machida::worker {

struct ResilienceOptions {
  std::string directory;  // empty: no resilience
  // The epoch that the stores of all workers have; nothing: this one's newest.
  std::optional<std::int64_t> resume_epoch;
  std::uint64_t epoch_interval_ms = 1000;
  std::uint64_t journal_bytes_max = 256u << 20;
  bool accept_damage = false;
  std::string hash_seed;  // PYTHONHASHSEED
};

class Resilience final : public checkpoint::Surroundings, public checkpoint::EpochMember {
 public:
  // Of a start: from opening the store to the last live state.
  static constexpr const char* kRestoreMillis = "machida_checkpoint_restore_ms_total";

  // Opens and verifies what there is. Throws store::StoreError.
  Resilience(const embed::Gil&, uv::Loop& loop, flow::Intake& intake,
             const ResilienceOptions& options, const std::string& application,
             const std::string& module, const SeatOptions& seat, bool with_journal,
             metrics::Registry& metrics);
  ~Resilience() override;

  // The newest stored epoch: its number, 0 when there is none, and its positions.
  std::int64_t newest_epoch() const noexcept { return newest_.epoch.number; }
  const std::vector<Position>& positions() const noexcept { return newest_.epoch.positions; }
  // What a sink had put out in it and may not have made visible; empty when it has.
  std::vector<std::shared_ptr<const std::string>> outbox_of(const std::string& sink);
  // The same after a restart, and no other store's.
  const std::string& identity() const noexcept { return identity_; }
  // Of records in outboxes.
  embed::Pickling record_pickling(const embed::Gil& gil) const {
    return states_pickling_.clone(gil);
  }
  // Where a source that can't go back writes down what it reads.
  flow::InputLog* log_of(std::size_t source);

  // Loads the states, after a trial whether they can be saved at all.
  void restore(const embed::Gil&, const Assembly& assembly);

  void add(flow::EpochSource& source) { sources_.push_back(&source); }
  void add(flow::EpochSink& sink) { sinks_.push_back(&sink); }
  void add(flow::Delivery& sink) { deliveries_.push_back(&sink); }

  // Feeds what the journal holds beyond the newest epoch, then calls `then`.
  void replay(checkpoint::JournaledInputs::Feed feed, std::function<void()> then);
  // The worker drains: what is left stays in the journal for the next start. It would come behind
  // the last epoch, and other workers may have gone by then.
  void stop_replay() { after_replay_ = nullptr; }
  // The newest epoch's outputs may not be visible yet: it closes first.
  bool closes_first() const noexcept { return newest_epoch() > 0 && !newest_.closed; }
  // From now on epochs end by themselves, together with the other workers'.
  void start(checkpoint::Accord& accord);
  void end_epoch(std::int64_t epoch) override { epochs_->end_epoch(epoch); }
  void commit(std::int64_t epoch) override { epochs_->commit(epoch); }
  void close(std::int64_t epoch) override { epochs_->close(epoch); }
  // Soon, not from within the call: something is large, or the worker drains.
  void end_epoch_soon();
  // A sink has committed.
  void go_on() { soon_.ask(); }
  // Everything is in a closed epoch, or given up.
  bool all_closed() const { return abandoned_ || (epochs_ && epochs_->all_closed()); }
  // What the epochs have cost, as a line of the log.
  void log_summary() const;
  // The run has failed: the open epoch is given up, a restart begins behind the newest one.
  void abandon();

 private:
  void offload(std::function<void()> work, std::function<void()> done) override;
  void work_soon() override { soon_.ask(); }
  void work_after(std::uint64_t delay_ms) override { later_.start(delay_ms); }

  void work();
  void tick();
  void on_closed();
  void tidy();
  void replay_more();

  uv::Loop& loop_;
  ResilienceOptions options_;
  const int worker_;
  const bool alone_;
  metrics::Registry& metrics_;
  const std::chrono::steady_clock::time_point made_ = std::chrono::steady_clock::now();
  store::Directory directory_;
  std::string identity_;
  std::unique_ptr<store::Store> store_;
  store::Store::Newest newest_;
  std::unique_ptr<store::Journal> journal_;
  std::unique_ptr<checkpoint::JournaledInputs> inputs_;
  embed::Pickling states_pickling_, keys_pickling_;
  checkpoint::RowWriter rows_;
  std::vector<flow::EpochStates*> states_;
  std::vector<flow::EpochSource*> sources_;
  std::vector<flow::EpochSink*> sinks_;
  std::vector<flow::Delivery*> deliveries_;
  std::unique_ptr<checkpoint::Epochs> epochs_;
  uv::NextTurn soon_;
  uv::Timer later_, tick_;
  std::set<std::string> sinks_known_;  // that may have outputs of the newest epoch
  checkpoint::JournaledInputs::Feed feed_;
  std::function<void()> after_replay_;
  uv::NextTurn replay_soon_;
  bool end_soon_ = false;
  bool abandoned_ = false;
  bool store_busy_ = false;        // another thread uses the store
  std::function<void()> waiting_;  // for the store
  // Between this object's end and the other thread: work that has not begun does not begin then.
  struct Gate {
    std::mutex mutex;
    bool open = true;
  };
  std::shared_ptr<Gate> gate_;
};

}  // namespace machida::worker
