#include "server/worker/resilience.h"

#include <fmt/core.h>

#include <chrono>
#include <utility>

#include "server/base/check.h"
#include "server/base/log.h"
#include "server/checkpoint/recovery.h"
#include "server/store/go_back.h"
#include "server/store/hash_seed.h"
#include "server/store/identity.h"
#include "server/uv/offload.h"

namespace machida::worker {
namespace {

constexpr std::chrono::milliseconds kReplayShareOfTurn{10};

}  // namespace

Resilience::Resilience(const embed::Gil& gil, uv::Loop& loop, flow::Intake& intake,
                       const ResilienceOptions& options, const std::string& application,
                       const std::string& module, const SeatOptions& seat, bool with_journal,
                       metrics::Registry& metrics)
    : loop_(loop),
      options_(options),
      worker_(static_cast<int>(seat.index)),
      alone_(seat.alone()),
      metrics_(metrics),
      directory_(options.directory, seat.control < 0 ? store::Directory::Access::kServe
                                                     : store::Directory::Access::kWorker),
      states_pickling_(embed::Pickling::of_application(gil, module)),
      keys_pickling_(gil),
      rows_(states_pickling_.clone(gil), keys_pickling_.clone(gil)),
      soon_(loop, [this] { work(); }),
      later_(loop, [this] { work(); }),
      tick_(loop, [this] { tick(); }),
      replay_soon_(loop, [this] { replay_more(); }),
      gate_(std::make_shared<Gate>()) {
  identity_ = store::identity_of(directory_);
  if (seat.control < 0) store::warn_of_hash_seed(directory_, options.hash_seed);
  if (options.resume_epoch && store::newest_epoch(directory_, worker_) > *options.resume_epoch)
    store::go_back(directory_, worker_, application, *options.resume_epoch);
  const store::Damage damage =
      options.accept_damage ? store::Damage::kAcceptOlder : store::Damage::kRefuse;
  store_ = std::make_unique<store::Store>(directory_, worker_, application, damage);
  if (!store_->warning().empty()) {
    log::warn("{}", store_->warning());
    identity_ = store::renew_identity(directory_);
  }
  if (std::optional<store::Store::Newest> newest = store_->newest()) newest_ = std::move(*newest);
  if (options.resume_epoch && newest_epoch() != *options.resume_epoch)
    throw store::StoreError(
        fmt::format("{}: the store of worker {} ends with epoch {}, those of "
                    "others have {}",
                    directory_.path(), worker_, newest_epoch(), *options.resume_epoch));
  if (!with_journal) return;
  journal_ =
      std::make_unique<store::Journal>(directory_, worker_, options.journal_bytes_max, damage);
  inputs_ = std::make_unique<checkpoint::JournaledInputs>(*journal_, intake,
                                                          [this] { end_epoch_soon(); });
  sources_.push_back(inputs_.get());
  intake.watch([this, &intake] {
    if (!intake.paused() && after_replay_) replay_soon_.ask();
  });
}

Resilience::~Resilience() {
  const std::lock_guard lock(gate_->mutex);  // waits for what has begun
  gate_->open = false;
}

std::vector<std::shared_ptr<const std::string>> Resilience::outbox_of(const std::string& sink) {
  if (newest_.closed) return {};
  sinks_known_.insert(sink);
  for (const store::Outbox& outbox : newest_.epoch.outboxes)
    if (outbox.sink == sink) return outbox.chunks;
  return {};
}

flow::InputLog* Resilience::log_of(std::size_t source) { return &inputs_->log_of(source); }

void Resilience::restore(const embed::Gil& gil, const Assembly& assembly) {
  std::vector<flow::StateTable*> tables;
  for (const auto& table : assembly.states()) tables.push_back(table.get());
  checkpoint::try_fresh_states(gil, states_pickling_, tables);
  states_.assign(tables.begin(), tables.end());
  states_.insert(states_.end(), assembly.windows().begin(), assembly.windows().end());
  rows_.write_from(states_);
  if (newest_epoch() == 0) return;
  const std::uint64_t keys = checkpoint::restore_states(
      gil, *store_, states_pickling_, keys_pickling_, states_,
      [&](std::string_view state, _object* key) { return assembly.owns(gil, state, key); });
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                      std::chrono::steady_clock::now() - made_)
                      .count();
  metrics_.counter(kRestoreMillis).add(static_cast<std::uint64_t>(ms));
  log::info("resuming behind epoch {}: {} keys restored in {} ms", newest_epoch(), keys, ms);
}

void Resilience::replay(checkpoint::JournaledInputs::Feed feed, std::function<void()> then) {
  if (!inputs_) return then();
  inputs_->begin_replay(positions());
  if (inputs_->replay_left() > 0)
    log::info("replaying {} journaled batches", inputs_->replay_left());
  feed_ = std::move(feed);
  after_replay_ = std::move(then);
  replay_more();
}

void Resilience::replay_more() {
  if (!after_replay_) return;
  const auto start = std::chrono::steady_clock::now();
  const auto has_time = [start] {
    return std::chrono::steady_clock::now() - start <= kReplayShareOfTurn;
  };
  if (inputs_->replay_some(feed_, has_time)) return replay_soon_.ask();
  std::exchange(after_replay_, nullptr)();
}

void Resilience::start(checkpoint::Accord& accord) {
  if (!newest_.closed)
    for (const store::Outbox& outbox : newest_.epoch.outboxes)
      if (!outbox.chunks.empty() && !sinks_known_.contains(outbox.sink))
        log::warn(
            "outputs of epoch {} for {}, which the application does not have any more, are "
            "dropped",
            newest_epoch(), outbox.sink);
  epochs_ = std::make_unique<checkpoint::Epochs>(
      checkpoint::Epochs::Parts{.store = *store_,
                                .journal = journal_.get(),
                                .rows = rows_,
                                .states = states_,
                                .sources = sources_,
                                .deliveries = deliveries_,
                                .sinks = sinks_,
                                .surroundings = *this,
                                .accord = accord,
                                .on_closed = [this] { on_closed(); },
                                .unfinished = closes_first()},
      newest_epoch(), positions(), metrics_);
  tick_.start(options_.epoch_interval_ms);
  if (closes_first()) soon_.ask();  // the sinks may have committed before the other workers came
}

void Resilience::tick() {
  tick_.start(options_.epoch_interval_ms);
  if (abandoned_) return;
  if (inputs_) inputs_->try_again();
  if (alone_ || !epochs_->in_work())
    epochs_->end();
  else
    epochs_->work();
}

// Several workers end their epochs together, so all count the interval from the same moment.
void Resilience::on_closed() {
  if (!alone_) tick_.start(options_.epoch_interval_ms);
  tidy();
}

void Resilience::end_epoch_soon() {
  end_soon_ = true;
  soon_.ask();
}

void Resilience::work() {
  if (!epochs_ || abandoned_) return;
  if (std::exchange(end_soon_, false)) epochs_->end();
  epochs_->work();
}

void Resilience::log_summary() const {
  using checkpoint::Epochs;
  const auto count = [this](const char* name) { return metrics_.total(name); };
  log::info(
      "epochs: {}, us in epochs: {}, us in barriers: {}, us in store commits: {}, "
      "changed keys: {}, state bytes: {}, store failures: {}, ms in restoring: {}",
      count(Epochs::kEpochs), count(Epochs::kEpochMicros), count(Epochs::kBarrierMicros),
      count(Epochs::kCommitMicros), count(Epochs::kKeys), count(Epochs::kStateBytes),
      count(Epochs::kFailures), count(kRestoreMillis));
}

void Resilience::abandon() {
  abandoned_ = true;
  after_replay_ = nullptr;
}

// The store is used by one thread at a time: a piece of tidying may be at it.
void Resilience::offload(std::function<void()> work, std::function<void()> done) {
  if (store_busy_) {
    MACHIDA_CHECK(!waiting_, "two epochs want the store");
    waiting_ = [this, work = std::move(work), done = std::move(done)] { offload(work, done); };
    return;
  }
  store_busy_ = true;
  uv::offload(
      loop_,
      [gate = gate_, work = std::move(work)] {
        const std::lock_guard lock(gate->mutex);
        if (gate->open) work();
      },
      [this, gate = gate_, done = std::move(done)] {
        if (!gate->open) return;
        store_busy_ = false;
        if (waiting_) std::exchange(waiting_, nullptr)();
        if (!abandoned_) done();
      });
}

// In the background, a bounded piece at a time; an epoch comes first.
void Resilience::tidy() {
  if (store_busy_) return;
  const auto more = std::make_shared<bool>(false);
  offload([this, more] { *more = store_->tidy(); },
          [this, more] {
            if (*more) tidy();
          });
}

}  // namespace machida::worker
