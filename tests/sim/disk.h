// What is durable in a simulation: the stores and journals of the workers, by worker. In memory, or
// real ones in a directory. Operations fail as a device does, until recover(). Outlives the
// workers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "embed/gil.h"
#include "server/plan/plan.h"
#include "server/store/epoch_store.h"
#include "server/store/input_journal.h"
#include "server/worker/reshard.h"
#include "tests/sim/random.h"

namespace machida::sim {

class Disk {
 public:
  virtual ~Disk() = default;

  // How many workers it is for; 0: nothing has been stored.
  virtual std::uint32_t workers() const = 0;
  virtual void begin(std::uint32_t workers) = 0;
  // The same after a restart, and another one after a change of the number of workers.
  virtual std::string identity() const = 0;

  virtual std::int64_t newest_epoch(std::uint32_t worker) = 0;
  virtual void go_back(std::uint32_t worker, std::int64_t epoch) = 0;
  virtual std::unique_ptr<store::EpochStore> open_store(std::uint32_t worker) = 0;
  virtual std::unique_ptr<store::InputJournal> open_journal(std::uint32_t worker) = 0;

  // Nothing may be open. `interrupted`: the change dies before it is complete.
  virtual void change_workers(const embed::Gil&, const plan::Plan& plan, std::uint32_t workers,
                              bool interrupted) = 0;

  // What was not synced may be gone: the records of a worker's journal from some number on, which
  // is returned, and that an epoch was closed. Nothing may be open.
  virtual std::int64_t lose_power(std::uint32_t worker) = 0;
};

// How often something fails, in percent.
struct DiskTroubles {
  std::uint64_t full = 0;    // StoreFull: nothing happened
  std::uint64_t broken = 0;  // StoreError: it happened or not
};

// A store that fails.
class FaultyStore final : public store::EpochStore {
 public:
  FaultyStore(std::unique_ptr<store::EpochStore> store, Random& random,
              const DiskTroubles& troubles)
      : store_(std::move(store)), random_(random), troubles_(troubles) {}

  std::optional<Newest> newest() const override { return store_->newest(); }
  std::uint64_t keys() const override { return store_->keys(); }
  void read_states(const OnState& on_state) const override { store_->read_states(on_state); }
  void commit(const store::Epoch& epoch) override;
  void close(std::int64_t epoch) override;

 private:
  std::unique_ptr<store::EpochStore> store_;
  Random& random_;
  const DiskTroubles& troubles_;
};

// A journal that fails.
class FaultyJournal final : public store::InputJournal {
 public:
  FaultyJournal(std::unique_ptr<store::InputJournal> journal, Random& random,
                const DiskTroubles& troubles)
      : journal_(std::move(journal)), random_(random), troubles_(troubles) {}

  std::int64_t position() const noexcept override { return journal_->position(); }
  bool append(std::uint32_t source, std::span<const std::string_view> frames) override;
  void sync() override;
  void begin_segment() override { journal_->begin_segment(); }
  void trim(std::int64_t position) override { journal_->trim(position); }
  void replay(std::int64_t position, const OnRecord& on_record) override {
    journal_->replay(position, on_record);
  }

 private:
  std::unique_ptr<store::InputJournal> journal_;
  Random& random_;
  const DiskTroubles& troubles_;
};

}  // namespace machida::sim
