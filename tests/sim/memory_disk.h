// Stores and journals in memory, with the promises of server/store.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "tests/sim/disk.h"

namespace machida::sim {

class MemoryDisk final : public Disk {
 public:
  MemoryDisk(Random& random, std::uint64_t journal_bytes_max)
      : random_(random), journal_bytes_max_(journal_bytes_max) {}

  std::uint32_t workers() const override { return static_cast<std::uint32_t>(stores_.size()); }
  void begin(std::uint32_t workers) override;
  std::string identity() const override { return "life-" + std::to_string(changes_); }
  std::int64_t newest_epoch(std::uint32_t worker) override;
  void go_back(std::uint32_t worker, std::int64_t epoch) override;
  std::unique_ptr<store::EpochStore> open_store(std::uint32_t worker) override;
  std::unique_ptr<store::InputJournal> open_journal(std::uint32_t worker) override;
  void change_workers(const embed::Gil&, const plan::Plan& plan, std::uint32_t workers,
                      bool interrupted) override;
  std::int64_t lose_power(std::uint32_t worker) override;

 private:
  class Store;
  class Journal;
  struct Stored {
    store::Epoch epoch;
    bool closed = false;
    bool closed_durably = false;
  };
  using Epochs = std::vector<Stored>;
  struct Record {
    std::int64_t number;
    std::uint32_t source;
    std::vector<std::string> frames;
  };
  struct Records {
    std::deque<Record> kept;
    std::int64_t next = 0, synced = 0;   // numbers
    std::vector<std::int64_t> segments;  // the first number of each
    std::uint64_t bytes = 0;
  };

  Random& random_;
  const std::uint64_t journal_bytes_max_;
  std::uint32_t changes_ = 0;
  std::vector<Epochs> stores_;     // by worker
  std::vector<Records> journals_;  // by worker
};

}  // namespace machida::sim
