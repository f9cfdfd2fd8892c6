#include "tests/sim/world.h"

#include <fmt/core.h>

#include <algorithm>

#include "server/checkpoint/recovery.h"
#include "server/store/go_back.h"
#include "tests/sim/memory_disk.h"
#include "tests/sim/real_disk.h"

namespace machida::sim {
namespace {

constexpr std::uint64_t kEventsMax = 60'000;  // of one life
constexpr std::uint64_t kSeedEventsMax = 1'000'000;
constexpr int kLivesMax = 1'000;
constexpr int kDeathsMax = 200;  // then the disk works

std::unique_ptr<Disk> make_disk(Random& random, const Scenario& scenario,
                                const std::string& directory) {
  if (directory.empty()) return std::make_unique<MemoryDisk>(random, scenario.journal_bytes_max);
  return std::make_unique<RealDisk>(directory, scenario.application->plan.name,
                                    scenario.journal_bytes_max);
}

}  // namespace

World::World(std::uint64_t seed, const std::vector<Application>& applications,
             Scheduler::Trace trace, const std::string& directory)
    : scheduler_(seed, trace),
      scenario_(scheduler_.random(), applications),
      broker_(scheduler_.random(), scenario_.partitions, scenario_.broker_trouble_percent),
      clients_(scenario_.clients),
      disk_(make_disk(scheduler_.random(), scenario_, directory)),
      troubles_(scenario_.disk),
      around_{scheduler_, scenario_, broker_, clients_, *disk_, troubles_} {}

std::string World::run(const embed::Gil& gil) {
  try {
    for (const Life& life : scenario_.lives) {
      become(gil, life.workers);
      Plan plan{.workers = life.workers};
      const bool drains = life.end == LifeEnd::kDrain || life.end == LifeEnd::kDrainEarly;
      (drains ? plan.drain_after_events : plan.kill_after_events) = life.after_events;
      plan.drain_early = life.end == LifeEnd::kDrainEarly;
      const Ended ended = live(gil, plan);
      if (ended == Ended::kDied && life.end == LifeEnd::kPowerLoss) lose_power();
      if (!failure_.empty()) return failure_;
    }
    become(gil, scenario_.last_workers);
    for (int deaths = 0; failure_.empty(); ++deaths) {
      if (deaths == kDeathsMax) troubles_.broken = 0;
      if (live(gil, {.workers = scenario_.last_workers, .until_done = true}) == Ended::kDrained)
        break;
    }
  } catch (const store::StoreError& error) {
    return std::string("a store can't be opened: ") + error.what();
  } catch (const checkpoint::RecoveryError& error) {
    return error.what();
  }
  return failure_;
}

// As the supervisor does it when another number of workers is wanted.
void World::become(const embed::Gil& gil, std::uint32_t workers) {
  const std::uint32_t old = disk_->workers();
  if (old == 0) disk_->begin(workers);
  if (old == 0 || old == workers) return;
  Random& random = scheduler_.random();
  for (bool settled = false; !settled && failure_.empty();) {
    Plan plan{.workers = old, .settle = true};
    if (random.chance(scenario_.settle_kill_percent)) plan.kill_after_events = random.below(200);
    settled = live(gil, plan) == Ended::kDrained;
  }
  if (!failure_.empty()) return;
  if (random.chance(scenario_.settle_kill_percent))
    disk_->change_workers(gil, scenario_.application->plan, workers, true);
  disk_->change_workers(gil, scenario_.application->plan, workers, false);
  scheduler_.note("workers become", -1, old, workers);
  clients_.settled();
}

std::int64_t World::resume_epoch(std::uint32_t workers) {
  std::vector<std::int64_t> newest;
  for (std::uint32_t i = 0; i < workers; ++i) newest.push_back(disk_->newest_epoch(i));
  const Result<std::int64_t> common = store::common_epoch(newest);
  if (common) return *common;
  failure_ = common.error();
  return *std::min_element(newest.begin(), newest.end());
}

void World::begin_life(const embed::Gil& gil, const Plan& plan) {
  if (++lives_ > kLivesMax) failure_ = "the workers die again and again";
  const std::int64_t resume = resume_epoch(plan.workers);
  scheduler_.note("a life begins behind epoch", -1, resume, plan.workers);
  for (std::uint32_t i = 0; i < plan.workers; ++i)
    workers_.push_back(std::make_unique<Worker>(gil, around_,
                                                Worker::Seat{i, plan.workers, resume, plan.settle},
                                                [this](const std::string& why) {
                                                  if (failure_.empty()) failure_ = why;
                                                }));
  for (const auto& from : workers_)
    for (const auto& to : workers_)
      if (from != to) from->connect(*to);
  if (!plan.settle) accept_clients();
  told_.assign(plan.workers, false);
  for (const auto& worker : workers_) worker->start();
}

void World::accept_clients() {
  clients_.connect();
  for (std::size_t client = 0; client < clients_.size(); ++client)
    workers_[scheduler_.random().below(workers_.size())]->accept(client);
}

World::Ended World::live(const embed::Gil& gil, const Plan& plan) {
  const std::uint64_t begin = scheduler_.events();
  Ended ended = Ended::kDrained;
  bool draining = false;
  try {
    begin_life(gil, plan);
    while (failure_.empty() && !all_have_ended()) {
      const std::uint64_t events = scheduler_.events() - begin;
      if (plan.kill_after_events && events >= *plan.kill_after_events) {
        ended = Ended::kDied;
        break;
      }
      if (!draining && shall_drain(plan, events)) {
        draining = true;
        drain_all();
      }
      if (scheduler_.events() > kSeedEventsMax)
        failure_ = "the seed does not come to an end";
      else if (!scheduler_.step() || events > kEventsMax)
        failure_ = draining || plan.settle ? "the workers do not come to an end"
                                           : "the workers do not go on";
      tell_who_has_ended();
    }
  } catch (const store::StoreError& error) {
    scheduler_.note(error.what());
    ended = Ended::kDied;
  }
  if (ended == Ended::kDied) kill();
  workers_.clear();
  return ended;
}

bool World::shall_drain(const Plan& plan, std::uint64_t events) const {
  if (plan.drain_after_events && events >= *plan.drain_after_events) return true;
  if (plan.until_done && all_was_read()) return true;
  return plan.drain_early && std::any_of(workers_.begin(), workers_.end(),
                                         [](const auto& worker) { return worker->is_replaying(); });
}

// A signal comes to the workers one after another.
void World::drain_all() {
  scheduler_.note("all shall drain");
  for (const auto& worker : workers_)
    scheduler_.after(scheduler_.random().below(scenario_.link_delay_us_max),
                     [&worker = *worker, alive = worker->alive()] {
                       if (*alive) worker.drain();
                     });
}

bool World::all_have_ended() const {
  return std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->has_ended(); });
}

bool World::all_was_read() const {
  return clients_.all_sent() &&
         std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->at_the_end(); });
}

void World::tell_who_has_ended() {
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    if (told_[i] || !workers_[i]->has_ended()) continue;
    told_[i] = true;
    for (const auto& other : workers_)
      if (!other->has_ended()) other->on_peer_lost();
  }
}

void World::kill() {
  scheduler_.note("all die");
  has_crashed_ = true;
  for (const auto& worker : workers_) worker->die();
}

void World::lose_power() {
  for (std::uint32_t i = 0; i < disk_->workers(); ++i) {
    const std::int64_t record = disk_->lose_power(i);
    scheduler_.note("loses power", i, record);
    clients_.lost_from(i, record);
  }
}

}  // namespace machida::sim
