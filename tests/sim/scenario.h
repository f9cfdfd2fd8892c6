// What a seed makes of a run: the application, its input, how long everything takes, what fails,
// and the lives of the workers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/sim/application.h"
#include "tests/sim/broker.h"
#include "tests/sim/disk.h"
#include "tests/sim/random.h"

namespace machida::sim {

enum class LifeEnd {
  kKill,       // one worker is killed, which ends all
  kPowerLoss,  // the same, and what was not synced may be gone
  kDrain,      // they are told to stop
  kDrainEarly  // the same, while the first of them replays its journal
};

struct Life {
  std::uint32_t workers = 1;
  LifeEnd end = LifeEnd::kKill;
  std::uint64_t after_events = 0;
};

struct Scenario {
  Scenario(Random& random, const std::vector<Application>& applications);

  const Application* application = nullptr;
  std::vector<Life> lives;  // before the last one, which ends when all input has been processed
  std::uint32_t last_workers = 1;
  std::uint64_t settle_kill_percent = 0;  // of the changes of the number of workers

  std::vector<Broker::Partition> partitions;
  std::vector<std::vector<std::string>> clients;  // "a b kind" of each frame, by connection

  std::uint64_t epoch_interval_us = 0;
  std::uint64_t link_delay_us_max = 0;
  std::uint64_t store_delay_us_max = 0;
  std::uint64_t sink_delay_us_max = 0;
  std::uint64_t slice_delay_us_max = 0;   // between two slices of writing states
  std::uint64_t replay_delay_us_max = 0;  // the same of a replay
  std::uint64_t journal_bytes_max = 0;
  std::size_t batch_records_max = 0;
  std::size_t states_at_once = 0;
  std::uint64_t replay_goes_on_percent = 0;  // after each record, within one event
  DiskTroubles disk;
  std::uint64_t broker_trouble_percent = 0;

 private:
  void add_life(Random& random);
};

}  // namespace machida::sim
