#include "tests/sim/scenario.h"

#include <fmt/core.h>

namespace machida::sim {
namespace {

constexpr std::uint64_t kWorkersMax = 4, kLivesMax = 4;
constexpr std::uint64_t kInputUs = 200'000;  // until all of it has arrived
constexpr std::uint64_t kKindsMax = 20, kStrangerOneIn = 40;

std::string body(Random& random, std::uint64_t keys) {
  const std::uint64_t a = random.below(kStrangerOneIn) == 0 ? kListedKeys : random.below(keys);
  return fmt::format("{} b{} {}", key_of(a), random.below(keys * 2), random.below(kKindsMax));
}

Broker::Partition partition(Random& random, std::size_t number, std::uint64_t keys) {
  Broker::Partition partition;
  const std::uint64_t messages = random.below(100);
  for (std::uint64_t n = 0; n < messages; ++n)
    partition.push_back({fmt::format("p{} {} {}", number, n, body(random, keys)),
                         kInputUs * n / messages + random.below(kInputUs / messages)});
  return partition;
}

std::uint32_t some_workers(Random& random) {
  return static_cast<std::uint32_t>(random.between(1, kWorkersMax));
}

}  // namespace

Scenario::Scenario(Random& random, const std::vector<Application>& applications)
    : application(&applications[random.below(applications.size())]) {
  last_workers = some_workers(random);
  for (std::uint64_t n = random.below(kLivesMax + 1); n > 0; --n) add_life(random);
  settle_kill_percent = random.chance(50) ? 40 : 0;
  const std::uint64_t keys = random.between(1, kListedKeys);
  for (std::size_t n = random.between(1, 4), i = 0; i < n; ++i)
    partitions.push_back(partition(random, i, keys));
  for (std::size_t n = application->has_clients ? random.below(4) : 0; n > 0; --n) {
    std::vector<std::string>& client = clients.emplace_back();
    for (std::uint64_t frames = random.below(60); frames > 0; --frames)
      client.push_back(body(random, keys));
  }
  epoch_interval_us = random.between(2'000, 40'000);
  link_delay_us_max = random.between(2, 8'000);
  store_delay_us_max = random.between(2, 8'000);
  sink_delay_us_max = random.between(2, 8'000);
  slice_delay_us_max = random.between(2, 4'000);
  replay_delay_us_max = random.between(2, random.chance(50) ? 20'000 : 4'000);
  journal_bytes_max = random.between(100, 2'000);
  batch_records_max = random.between(1, 10);
  states_at_once = random.between(1, 4);
  replay_goes_on_percent = random.between(10, 95);
  disk.full = random.chance(30) ? random.below(20) : 0;
  disk.broken = random.chance(20) ? random.below(8) : 0;
  broker_trouble_percent = random.chance(40) ? random.below(50) : 0;
}

void Scenario::add_life(Random& random) {
  Life life{.workers = random.chance(70) ? last_workers : some_workers(random)};
  const std::uint64_t dice = random.below(10);
  life.end = dice < 5   ? LifeEnd::kKill
             : dice < 7 ? LifeEnd::kPowerLoss
             : dice < 9 ? LifeEnd::kDrain
                        : LifeEnd::kDrainEarly;
  life.after_events = random.below(random.chance(50) ? 100 : 1'500);
  // So that there is something to replay.
  if (life.end == LifeEnd::kDrainEarly)
    lives.push_back({life.workers, LifeEnd::kKill, random.between(100, 600)});
  lives.push_back(life);
}

}  // namespace machida::sim
