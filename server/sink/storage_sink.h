// Hands a pipeline's outputs, the records themselves, to a storage sink of the application or of
// the package: all records of an epoch in one call, on a thread of the sink's own, so that a slow
// storage does not hold up the loop.
//
// With a resilience directory the sink takes part in its epochs: the pickled records lie in the
// epoch's outbox until they are written, and are written again, with the same number, by a restart
// that can't know whether they were. Without one, an epoch ends by itself every `epoch_interval_ms`
// in which something came, when the one before is written.
//
// A write that fails is tried again, ever more slowly: for ever when the storage can't be reached,
// `retries` times otherwise; then its records become dead letters. Records that wait pause the
// sources when they are many. Worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/dead_letters.h"
#include "server/flow/epoch.h"
#include "server/flow/intake_hold.h"
#include "server/flow/outlet.h"
#include "server/metrics/counter.h"
#include "server/sink/record_outbox.h"
#include "server/sink/sink.h"
#include "server/sink/storage_partition.h"
#include "server/uv/loop.h"
#include "server/uv/own_thread.h"
#include "server/uv/timer.h"

namespace machida::sink {

class StorageSink final : public Sink, public flow::RecordOutlet, public flow::EpochSink {
 public:
  static constexpr const char* kRecords = "machida_sink_storage_records_total";
  static constexpr const char* kWrites = "machida_sink_storage_writes_total";
  static constexpr const char* kFailures = "machida_sink_storage_failures_total";

  // Of records that wait: the epoch ends early, the sources pause.
  static constexpr std::size_t kEpochRecordsMax = 64u << 10;
  static constexpr std::size_t kWaitingRecordsMax = 128u << 10;
  // The same of their pickled bytes.
  static constexpr std::size_t kEpochBytesMax = 32u << 20;
  static constexpr std::size_t kWaitingBytesMax = 64u << 20;

  struct Calls {
    std::function<void()> on_connected;  // the partition is built and open
    std::function<void()> on_full;       // the open epoch is large: it should end early
    std::function<void()> on_committed;
  };
  // In a resilience directory.
  struct Durable {
    RecordPickler pickler;
    std::int64_t newest_epoch;  // that is stored
  };
  struct Parts {
    std::string id;      // what the store knows this sink by
    std::string people;  // how messages call it: "IntoTable 'orders'"
    flow::Place place;
    embed::Object running_sink;  // wallaroo.storage.runtime's
    std::optional<Durable> durable;
    std::uint64_t epoch_interval_ms = 1000;  // without `durable`
    std::uint32_t retries = 5;
  };
  StorageSink(const embed::Gil&, uv::Loop& loop, flow::Intake& intake, Parts parts,
              flow::DeadLetters& dead_letters, metrics::Registry& metrics, Calls calls);
  // After closed().
  ~StorageSink() override;

  // The records of the newest stored epoch, which may have been written already. Before open().
  // Throws PythonError when they can't be unpickled.
  void recover(const embed::Gil&, const RecordChunks& outbox);

  // Throws, from the loop, what building the partition raises.
  void open() override;
  bool connected() const override { return connected_; }
  bool drained() override;
  std::string undelivered() const override;

  // Closes the partition on its thread; waits for that at most so long. False: it hangs, and its
  // thread is left to itself. May be called again, to wait longer. Without the interpreter's lock.
  bool close(std::uint64_t wait_ms);

  std::size_t write(const embed::Gil&, const flow::Batch& records) override;
  // Delivered means: written, or dead letters.
  std::uint64_t mark() override;
  bool delivered(std::uint64_t mark) override { return committed(static_cast<std::int64_t>(mark)); }

  const std::string& id() const override { return parts_.id; }
  bool has_outputs() const override { return !open_.records.empty(); }
  std::vector<std::shared_ptr<const std::string>> end_epoch(std::int64_t epoch) override;
  void commit(std::int64_t epoch) override;
  bool committed(std::int64_t epoch) const override { return committed_ >= epoch; }

 private:
  struct EpochRecords {
    std::int64_t number = 0;
    std::vector<embed::Object> records;
    RecordChunks chunks;    // until it has ended
    std::size_t bytes = 0;  // of the chunks
  };

  void try_open();
  void on_opened(const StoragePartition::Outcome& outcome);
  bool keep(const embed::Gil&, std::vector<embed::Object>& records);
  void tick();
  void end_own_epoch();
  void write_next();
  void try_write();
  void on_written(const StoragePartition::Outcome& outcome);
  void on_unavailable(const std::string& why);
  void on_rejected(const StoragePartition::Outcome& outcome);
  void give_up(const embed::PythonError& error);
  void add_letters(const embed::Gil&, const std::vector<embed::Object>& records,
                   const std::function<embed::PythonError(std::size_t)>& error_of);
  void front_is_written();
  void follow_queue();
  std::size_t waiting_records() const;
  std::uint64_t next_backoff();
  void well_again();

  flow::IntakeHold intake_;
  Parts parts_;
  flow::DeadLetters& dead_letters_;
  metrics::Counter &records_total_, &writes_total_, &failures_total_;
  Calls calls_;
  std::shared_ptr<const StoragePartition> partition_;
  uv::OwnThread thread_;
  uv::Timer retry_, tick_;

  bool connected_ = false;
  EpochRecords open_;
  std::deque<EpochRecords> ended_;  // not written yet
  std::int64_t newest_epoch_ = 0;   // that has ended
  std::int64_t stored_epoch_ = 0;   // may be written
  std::int64_t committed_ = 0;      // the newest that is written
  bool asked_to_end_ = false;       // the open epoch
  bool ended_run_ = false;          // by a dead letter or sys.exit(): nothing more is written
  bool said_dropped_ = false;

  // Of ended_'s front:
  bool writing_ = false;  // or waiting to try again
  std::uint32_t failures_ = 0;
  std::uint64_t backoff_ms_ = 0;
  bool said_unavailable_ = false;
};

}  // namespace machida::sink
