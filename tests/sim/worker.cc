#include "tests/sim/worker.h"

#include <algorithm>
#include <utility>

#include "embed/pickling.h"
#include "server/base/check.h"
#include "server/checkpoint/recovery.h"
#include "server/worker/assembly.h"

namespace machida::sim {
namespace {

constexpr std::uint64_t kSoonUsMax = 100;
constexpr std::uint64_t kSliceEndsPercent = 30, kSliceUs = 1'500;
constexpr const char* kApplication = "sim";

}  // namespace

Worker::Worker(const embed::Gil& gil, sim::Surroundings& around, Seat seat,
               std::function<void(const std::string&)> on_failed)
    : around_(around),
      scheduler_(around.scheduler),
      scenario_(around.scenario),
      seat_(seat),
      on_failed_(std::move(on_failed)),
      exchange_(*this, flow::BatchCodec(embed::Pickling(gil), *this)),
      rows_(embed::Pickling(gil), embed::Pickling(gil)) {
  sinks_room_.watch([this] { sinks_full(sinks_room_.paused()); });
  open_disk();
  make_sinks();
  assembly_ = std::make_unique<worker::Assembly>(
      gil, scenario_.application->plan, worker::UnknownKeyPolicy::kDrop, *this, metrics_, *this,
      time_, worker::Seat{seat_.index, seat_.workers, seat_.workers > 1 ? &exchange_ : nullptr});
  restore(gil);
  make_coordination();
  make_readers();
}

Worker::~Worker() {
  *alive_ = false;
  for (const auto& [peer, link] : links_) link->cut();
}

void Worker::open_disk() {
  Disk& disk = around_.disk;
  if (disk.newest_epoch(seat_.index) > seat_.resume_epoch)
    disk.go_back(seat_.index, seat_.resume_epoch);
  store_ = std::make_unique<FaultyStore>(disk.open_store(seat_.index), scheduler_.random(),
                                         around_.troubles);
  if (auto newest = store_->newest()) newest_ = *std::move(newest);
  MACHIDA_CHECK(newest_.epoch.number == seat_.resume_epoch, "all stores end with one epoch");
  if (!scenario_.application->has_clients) return;
  journal_ = std::make_unique<FaultyJournal>(disk.open_journal(seat_.index), scheduler_.random(),
                                             around_.troubles);
  inputs_ = std::make_unique<checkpoint::JournaledInputs>(*journal_, intake_,
                                                          [this] { end_epoch_soon(); });
  intake_.watch([this] {
    if (!intake_.paused() && replaying_) later(kSoonUsMax, [this] { replay(); });
  });
}

void Worker::make_sinks() {
  transactions_ = std::make_unique<TransactionSink>(
      scheduler_, around_.broker, "log-w" + std::to_string(seat_.index), around_.disk.identity(),
      scenario_.sink_delay_us_max, newest_.epoch.number,
      TransactionSink::Calls{.on_connected = [this] { on_sinks_connected(); },
                             .on_committed = [this] { work_soon(); },
                             .on_failed = on_failed_});
  if (!newest_.closed)
    for (const store::Outbox& outbox : newest_.epoch.outboxes)
      if (outbox.sink == transactions_->id()) transactions_->recover(outbox.chunks);
  connection_ = std::make_unique<ConnectionSink>(
      scheduler_, sinks_room_, scenario_.sink_delay_us_max, around_.clients.outputs);
}

void Worker::restore(const embed::Gil& gil) {
  for (const auto& table : assembly_->states()) states_.push_back(table.get());
  rows_.write_from(states_);
  if (newest_.epoch.number == 0) return;
  const std::uint64_t keys = checkpoint::restore_states(
      gil, *store_, embed::Pickling(gil), embed::Pickling(gil), states_,
      [&](std::string_view state, _object* key) { return assembly_->owns(gil, state, key); });
  note("restores", newest_.epoch.number, static_cast<std::int64_t>(keys));
}

void Worker::make_coordination() {
  // Who ends the epochs of this worker does not exist before all are ready.
  struct Member final : checkpoint::EpochMember {
    explicit Member(std::unique_ptr<checkpoint::Epochs>& epochs) : epochs(epochs) {}
    void end_epoch(std::int64_t epoch) override { epochs->end_epoch(epoch); }
    void commit(std::int64_t epoch) override { epochs->commit(epoch); }
    void close(std::int64_t epoch) override { epochs->close(epoch); }
    std::unique_ptr<checkpoint::Epochs>& epochs;
  };
  member_ = std::make_unique<Member>(epochs_);
  coordination_.emplace(cluster::Coordination::Parts{
      .peers = *this,
      .intake = intake_,
      .member = *member_,
      .stages = assembly_->stages(),
      .newest_epoch = newest_.epoch.number,
      .member_in_work = closes_first(),
      .on_ready = [this] { on_all_ready(); },
      .on_drained = [this] { later(1, [this] { look_whether_drained(); }); }});
}

void Worker::make_readers() {
  log_reader_ = std::make_unique<LogReader>(scheduler_, intake_, scenario_.link_delay_us_max,
                                            around_.broker, *assembly_->pipelines()[kLogPipeline],
                                            LogReader::Share{seat_.index, seat_.workers},
                                            scenario_.batch_records_max, newest_.epoch.positions);
  if (!inputs_) return;
  client_reader_ = std::make_unique<ClientReader>(
      scheduler_, intake_, scenario_.link_delay_us_max, around_.clients,
      *assembly_->pipelines()[kClientPipeline], seat_.index, scenario_.batch_records_max, *inputs_,
      inputs_->log_of(kClientPipeline));
}

void Worker::connect(Worker& peer) {
  links_[peer.seat_.index] = std::make_unique<Link>(
      scheduler_, scenario_.link_delay_us_max,
      Link::Calls{.deliver = [&peer, from = seat_.index](
                                 std::string_view bytes) { peer.on_bytes(from, bytes); },
                  .on_full =
                      [this](bool full) {
                        if (full)
                          intake_.pause();
                        else
                          intake_.resume();
                      }});
  readers_[peer.seat_.index] = std::make_unique<wire::LinkReader>();
  send(peer.seat_.index, wire::Hello{kApplication, seat_.workers, seat_.index});
}

void Worker::send(std::uint32_t worker, const wire::LinkMessage& message) {
  links_[worker]->send(message);
}

void Worker::on_bytes(std::uint32_t from, std::string_view bytes) {
  if (phase_ == Phase::kStopped) return;
  wire::LinkReader& reader = *readers_[from];
  reader.feed(bytes);
  for (;;) {
    const Result<std::size_t> count = reader.next(messages_);
    if (!count) return on_failed_("a link carried nonsense: " + count.error());
    if (*count == 0) break;
    for (const wire::LinkMessage& message : messages_) take(from, message);
  }
  reader.keep();
}

void Worker::take(std::uint32_t from, const wire::LinkMessage& message) {
  note("hears", from, static_cast<std::int64_t>(message.index()));
  if (std::holds_alternative<wire::Hello>(message)) return;
  if (const auto* batch = std::get_if<wire::Batch>(&message)) {
    const embed::GilLock gil;
    if (!exchange_.receive(gil, *batch, assembly_->pipelines()))
      on_failed_("records came for a step that there is not");
  } else if (std::holds_alternative<wire::Pause>(message)) {
    intake_.pause();
  } else if (std::holds_alternative<wire::Resume>(message)) {
    intake_.resume();
  } else if (!coordination_->on_message(from, message)) {
    on_failed_("the workers disagree about an epoch");
  }
}

void Worker::sinks_full(bool full) {
  if (full) {
    intake_.pause();
    send_all(wire::Pause{});
  } else {
    intake_.resume();
    send_all(wire::Resume{});
  }
}

void Worker::later(std::uint64_t delay_us_max, std::function<void()> action) {
  scheduler_.after(scheduler_.random().below(delay_us_max),
                   [alive = alive_, action = std::move(action)] {
                     if (*alive) action();
                   });
}

void Worker::offload(std::function<void()> work, std::function<void()> done) {
  MACHIDA_CHECK(!on_thread_, "the store is used by one thread at a time");
  on_thread_ = std::move(work);
  later(scenario_.store_delay_us_max, [this, done = std::move(done)] {
    std::exchange(on_thread_, nullptr)();
    note("the store has worked");
    later(scenario_.store_delay_us_max, done);
  });
}

void Worker::die() {
  phase_ = Phase::kStopped;
  if (on_thread_ && scheduler_.random().chance(50)) on_thread_();
}

void Worker::work_soon() {
  if (std::exchange(work_asked_, true)) return;
  later(scenario_.slice_delay_us_max, [this] {
    work_asked_ = false;
    work();
  });
}

void Worker::work_after(std::uint64_t delay_ms) {
  scheduler_.after(delay_ms * 1000, [this, alive = alive_] {
    if (*alive) work();
  });
}

std::chrono::steady_clock::time_point Worker::now() {
  if (scheduler_.random().chance(kSliceEndsPercent)) slice_us_ += kSliceUs;
  return std::chrono::steady_clock::time_point(
      std::chrono::microseconds(scheduler_.now_us() + slice_us_));
}

flow::Outlet& Worker::of_bytes(std::size_t, std::size_t) { return *connection_; }

flow::MessageOutlet& Worker::of_messages(std::size_t, std::size_t) { return *transactions_; }

flow::RecordOutlet& Worker::of_records(std::size_t, std::size_t) {
  MACHIDA_CHECK(false, "no application of the simulation has a storage sink");
  std::abort();
}

void Worker::add(const embed::Gil&, const flow::Place& place, const embed::PythonError& error,
                 _object*) {
  note("a dead letter");
  if (std::string_view(error.what()).find("ValueError: 19") == std::string_view::npos)
    on_failed_("step '" + place.step + "' failed: " + error.what());
}

}  // namespace machida::sim
