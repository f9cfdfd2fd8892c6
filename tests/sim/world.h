// One run: the lives of the workers that a scenario wants, one after another, each from what the
// one before has left. A worker that is killed takes the others with it, as the supervisor has it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "tests/sim/clients.h"
#include "tests/sim/scenario.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/worker.h"

namespace machida::sim {

class World {
 public:
  // `directory`: where real stores are kept; empty: in memory.
  World(std::uint64_t seed, const std::vector<Application>& applications, Scheduler::Trace trace,
        const std::string& directory);

  // Until all input has been processed and the workers have drained. Returns what went wrong, or
  // "".
  std::string run(const embed::Gil&);

  const Scenario& scenario() const noexcept { return scenario_; }
  const Broker& broker() const noexcept { return broker_; }
  const Clients& clients() const noexcept { return clients_; }
  Disk& disk() noexcept { return *disk_; }
  const Scheduler& scheduler() const noexcept { return scheduler_; }
  bool has_crashed() const noexcept { return has_crashed_; }

 private:
  enum class Ended { kDrained, kDied };
  struct Plan {
    std::uint32_t workers = 1;
    std::optional<std::uint64_t> kill_after_events, drain_after_events;
    bool drain_early = false;
    bool settle = false;
    bool until_done = false;  // drains when all input was read
  };
  Ended live(const embed::Gil&, const Plan& plan);
  void begin_life(const embed::Gil&, const Plan& plan);
  void accept_clients();
  bool all_have_ended() const;
  bool all_was_read() const;
  void tell_who_has_ended();
  void kill();
  void lose_power();
  void become(const embed::Gil&, std::uint32_t workers);
  std::int64_t resume_epoch(std::uint32_t workers);
  bool shall_drain(const Plan& plan, std::uint64_t events) const;
  void drain_all();

  Scheduler scheduler_;
  const Scenario scenario_;
  Broker broker_;
  Clients clients_;
  std::unique_ptr<Disk> disk_;
  DiskTroubles troubles_;
  Surroundings around_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<bool> told_;  // that this worker has ended
  std::string failure_;
  int lives_ = 0;
  bool has_crashed_ = false;
};

}  // namespace machida::sim
