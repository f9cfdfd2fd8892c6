#include "server/sink/storage_sink.h"

#include <algorithm>
#include <utility>

#include "embed/error.h"
#include "embed/value.h"
#include "server/base/crash_point.h"
#include "server/base/log.h"

namespace machida::sink {
namespace {

constexpr std::uint64_t kBackoffFirstMs = 100;
constexpr std::uint64_t kBackoffMaxMs = 2000;

}  // namespace

StorageSink::StorageSink(const embed::Gil& gil, uv::Loop& loop, flow::Intake& intake, Parts parts,
                         flow::DeadLetters& dead_letters, metrics::Registry& metrics, Calls calls)
    : intake_(intake),
      parts_(std::move(parts)),
      dead_letters_(dead_letters),
      records_total_(metrics.counter(kRecords, {{"sink", parts_.people}})),
      writes_total_(metrics.counter(kWrites, {{"sink", parts_.people}})),
      failures_total_(metrics.counter(kFailures, {{"sink", parts_.people}})),
      calls_(std::move(calls)),
      partition_(std::make_shared<const StoragePartition>(gil, parts_.running_sink)),
      thread_(loop),
      retry_(loop, [this] { connected_ ? try_write() : try_open(); }),
      tick_(loop, [this] { tick(); }) {
  if (!parts_.durable) return;
  newest_epoch_ = stored_epoch_ = committed_ = parts_.durable->newest_epoch;
}

StorageSink::~StorageSink() = default;

void StorageSink::recover(const embed::Gil& gil, const RecordChunks& outbox) {
  EpochRecords epoch;
  epoch.number = newest_epoch_;
  epoch.records = parts_.durable->pickler.load(gil, outbox);
  ended_.push_back(std::move(epoch));
  committed_ = newest_epoch_ - 1;
}

void StorageSink::open() {
  try_open();
  if (!parts_.durable) tick_.start(parts_.epoch_interval_ms);
}

void StorageSink::try_open() {
  const auto outcome = std::make_shared<StoragePartition::Outcome>();
  thread_.post([partition = partition_, outcome] { *outcome = partition->open(); },
               [this, outcome] { on_opened(*outcome); });
}

void StorageSink::on_opened(const StoragePartition::Outcome& outcome) {
  if (outcome.exit) std::rethrow_exception(outcome.exit);
  if (outcome.error) {
    log::error("pipeline '{}', sink {}: its partition can't be made", parts_.place.pipeline,
               parts_.people);
    throw *outcome.error;
  }
  if (!outcome.unavailable.empty()) return on_unavailable(outcome.unavailable);
  well_again();
  connected_ = true;
  calls_.on_connected();
  write_next();
}

std::size_t StorageSink::write(const embed::Gil& gil, const flow::Batch& batch) {
  std::vector<embed::Object> records;
  records.reserve(batch.size());
  for (std::size_t i = 0; i < batch.size(); ++i)
    records.push_back(embed::Object::borrow(gil, batch.at(i)));
  if (parts_.durable && !keep(gil, records)) {
    std::vector<embed::Object> kept;
    for (embed::Object& record : records) {
      std::vector<embed::Object> alone;
      alone.push_back(std::move(record));
      try {
        parts_.durable->pickler.dump(gil, alone);
        kept.push_back(std::move(alone[0]));
      } catch (const embed::PythonError& error) {
        dead_letters_.add(gil, parts_.place, error, alone[0].get());
      }
    }
    records = std::move(kept);
    keep(gil, records);
  }
  const std::size_t count = records.size();
  std::move(records.begin(), records.end(), std::back_inserter(open_.records));
  follow_queue();
  return count;
}

// Puts them into the open epoch's outbox. False: one of them can't be pickled.
bool StorageSink::keep(const embed::Gil& gil, std::vector<embed::Object>& records) {
  if (records.empty()) return true;
  try {
    open_.chunks.push_back(
        std::make_shared<const std::string>(parts_.durable->pickler.dump(gil, records)));
  } catch (const embed::PythonError&) {
    return false;
  }
  open_.bytes += open_.chunks.back()->size();
  return true;
}

std::uint64_t StorageSink::mark() {
  return static_cast<std::uint64_t>(newest_epoch_ + (has_outputs() ? 1 : 0));
}

std::vector<std::shared_ptr<const std::string>> StorageSink::end_epoch(std::int64_t epoch) {
  newest_epoch_ = epoch;
  asked_to_end_ = false;
  ended_.push_back(std::exchange(open_, EpochRecords()));
  ended_.back().number = epoch;
  return std::exchange(ended_.back().chunks, {});
}

void StorageSink::commit(std::int64_t epoch) {
  stored_epoch_ = epoch;
  write_next();
}

void StorageSink::tick() {
  tick_.start(parts_.epoch_interval_ms);
  end_own_epoch();
}

// Without a resilience directory: when the one before is written.
void StorageSink::end_own_epoch() {
  if (parts_.durable || !connected_ || !ended_.empty() || !has_outputs()) return;
  end_epoch(newest_epoch_ + 1);
  commit(newest_epoch_);
}

void StorageSink::write_next() {
  while (connected_ && !writing_ && !ended_.empty() && ended_.front().number <= stored_epoch_) {
    if (!ended_.front().records.empty()) {
      writing_ = true;
      failures_ = 0;
      return try_write();
    }
    front_is_written();
  }
}

void StorageSink::try_write() {
  const EpochRecords& epoch = ended_.front();
  std::optional<std::int64_t> number;
  if (parts_.durable) number = epoch.number;
  embed::Object list;
  {
    const embed::GilLock gil;
    std::vector<embed::Object> records;
    records.reserve(epoch.records.size());
    for (const embed::Object& record : epoch.records) records.push_back(record.clone(gil));
    list = embed::make_list(gil, std::move(records));
  }
  const auto outcome = std::make_shared<StoragePartition::Outcome>();
  const auto items = std::make_shared<const embed::Object>(std::move(list));
  crash_at(CrashPoint::kStorageWriteBefore);
  thread_.post(
      [partition = partition_, items, number, outcome] {
        *outcome = partition->write(*items, number);
        if (outcome->done()) crash_at(CrashPoint::kStorageWriteAfter);
      },
      [this, outcome] { on_written(*outcome); });
}

void StorageSink::on_written(const StoragePartition::Outcome& outcome) {
  if (outcome.exit) {
    ended_run_ = true;
    std::rethrow_exception(outcome.exit);
  }
  if (!outcome.unavailable.empty()) return on_unavailable(outcome.unavailable);
  if (!outcome.rejected.empty()) return on_rejected(outcome);
  if (outcome.error) {
    failures_total_.add();
    if (failures_++ >= parts_.retries) return give_up(*outcome.error);
    log::warn("sink {}: writing {} records failed, tried again: {}", parts_.people,
              ended_.front().records.size(), outcome.error->what());
    return retry_.start(next_backoff());
  }
  well_again();
  records_total_.add(ended_.front().records.size());
  writes_total_.add();
  front_is_written();
  write_next();
}

void StorageSink::on_unavailable(const std::string& why) {
  failures_total_.add();
  if (!std::exchange(said_unavailable_, true))
    log::warn("sink {}: {}; trying again until it is there{}", parts_.people, why,
              connected_ ? "" : ", the sources open then");
  retry_.start(next_backoff());
}

// All of them, also when the first one ends the run.
void StorageSink::add_letters(const embed::Gil& gil, const std::vector<embed::Object>& records,
                              const std::function<embed::PythonError(std::size_t)>& error_of) {
  std::exception_ptr stop;
  for (std::size_t i = 0; i < records.size(); ++i) {
    try {
      dead_letters_.add(gil, parts_.place, error_of(i), records[i].get());
    } catch (const flow::StopOnError&) {
      if (!stop) stop = std::current_exception();
    }
  }
  if (!stop) return;
  ended_run_ = true;
  std::rethrow_exception(stop);
}

void StorageSink::on_rejected(const StoragePartition::Outcome& outcome) {
  std::vector<embed::Object>& records = ended_.front().records;
  const embed::GilLock gil;
  std::vector<embed::Object> rejected;
  for (const auto& [index, why] : outcome.rejected) rejected.push_back(std::move(records[index]));
  std::erase_if(records, [](const embed::Object& record) { return !record; });
  add_letters(gil, rejected, [&outcome](std::size_t i) {
    return embed::made_error("RejectedItems", outcome.rejected[i].second);
  });
  writing_ = false;
  write_next();
}

void StorageSink::give_up(const embed::PythonError& error) {
  log::error("sink {}: writing {} records failed {} times: they become dead letters", parts_.people,
             ended_.front().records.size(), failures_);
  {
    const embed::GilLock gil;
    add_letters(gil, ended_.front().records, [&error](std::size_t) { return error; });
  }
  well_again();
  front_is_written();
  write_next();
}

void StorageSink::front_is_written() {
  committed_ = ended_.front().number;
  {
    const embed::GilLock gil;  // once, not for each record
    ended_.pop_front();
  }
  writing_ = false;
  follow_queue();
  if (asked_to_end_ && !parts_.durable) tick_.start(1);
  if (calls_.on_committed) calls_.on_committed();
}

std::uint64_t StorageSink::next_backoff() {
  backoff_ms_ = std::clamp(backoff_ms_ * 2, kBackoffFirstMs, kBackoffMaxMs);
  return backoff_ms_;
}

void StorageSink::well_again() {
  backoff_ms_ = 0;
  if (std::exchange(said_unavailable_, false)) log::info("sink {}: goes on", parts_.people);
}

std::size_t StorageSink::waiting_records() const {
  std::size_t records = open_.records.size();
  for (const EpochRecords& epoch : ended_) records += epoch.records.size();
  return records;
}

void StorageSink::follow_queue() {
  const std::size_t records = waiting_records();
  std::size_t bytes = open_.bytes;
  for (const EpochRecords& epoch : ended_) bytes += epoch.bytes;
  if (!asked_to_end_ && (open_.records.size() > kEpochRecordsMax || open_.bytes > kEpochBytesMax)) {
    asked_to_end_ = true;
    if (parts_.durable)
      calls_.on_full();
    else
      tick_.start(1);
  }
  intake_.follow(records > kWaitingRecordsMax || bytes > kWaitingBytesMax,
                 records < kWaitingRecordsMax / 2 && bytes < kWaitingBytesMax / 2);
}

bool StorageSink::drained() {
  if (ended_run_) return true;
  end_own_epoch();
  return ended_.empty() && !has_outputs();
}

std::string StorageSink::undelivered() const {
  return fmt::format("{} records for {}", waiting_records(), parts_.people);
}

bool StorageSink::close(std::uint64_t wait_ms) {
  if (ended_run_ && !parts_.durable && !std::exchange(said_dropped_, true))
    log::error("sink {}: {} records are not written", parts_.people, waiting_records());
  return thread_.end(
      [partition = partition_, people = parts_.people] {
        const StoragePartition::Outcome outcome = partition->close();
        if (outcome.error)
          log::error("sink {}: close() failed:\n{}", people, outcome.error->traceback());
      },
      wait_ms);
}

}  // namespace machida::sink
