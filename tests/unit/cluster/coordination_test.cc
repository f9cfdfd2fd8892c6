#include "server/cluster/coordination.h"

#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

using namespace machida;

namespace {

// Several workers in this process. Messages wait per link and are delivered in an order that a
// seed chooses; what a member does waits too.
class Cluster {
 public:
  static constexpr std::uint32_t kLastWords = 1;  // as a pipeline

  Cluster(std::uint32_t workers, std::uint32_t stages, std::uint32_t seed) : random_(seed) {
    for (std::uint32_t i = 0; i < workers; ++i)
      workers_.push_back(std::make_unique<Worker>(*this, i, workers, stages));
  }

  struct Worker final : cluster::Peers, checkpoint::EpochMember {
    Worker(Cluster& all, std::uint32_t index, std::uint32_t count, std::uint32_t stages)
        : cluster(all), index(index), count(count) {
      coordination = std::make_unique<cluster::Coordination>(cluster::Coordination::Parts{
          .peers = *this,
          .intake = intake,
          .member = *this,
          .stages = stages,
          .newest_epoch = 0,
          .member_in_work = false,
          .on_ready = [this] { ready = true; },
          .on_drained = [this] { drained = true; },
          .on_stage_over = [this, stages](std::uint32_t stage) { on_stage_over(stage, stages); }});
    }
    std::uint32_t own() const override { return index; }
    std::uint32_t workers() const override { return count; }
    void send(std::uint32_t to, const wire::LinkMessage& message) override {
      cluster.links_[{index, to}].push_back(message);
    }
    // A record of the open epoch that changes worker `hops` times. Its epoch travels as the count.
    void send_record(std::uint32_t hops) {
      pass_on(hops, static_cast<std::uint32_t>(ended.size()) + 1);
    }
    void pass_on(std::uint32_t hops, std::uint32_t epoch) {
      send((index + 1) % count, wire::Batch{0, hops, epoch, "r"});
    }
    // What its steps give at their end goes to the next worker's steps behind the exchange.
    void on_stage_over(std::uint32_t stage, std::uint32_t stages) {
      CHECK(stage == stages_over++);
      if (stage < stages)
        send((index + 1) % count, wire::Batch{kLastWords, stage + 1, epoch_open(), "r"});
    }
    std::uint32_t epoch_open() const { return static_cast<std::uint32_t>(ended.size()) + 1; }
    void end_epoch(std::int64_t epoch) override {
      CHECK(intake.paused() == (count > 1));
      ended.push_back(epoch);
      cluster.later_.push_back([this, epoch] { coordination->stored(epoch); });
    }
    void commit(std::int64_t epoch) override {
      for (const auto& other : cluster.workers_) CHECK(other->ended.back() == epoch);
      cluster.later_.push_back([this, epoch] { coordination->committed(epoch); });
    }
    void close(std::int64_t epoch) override {
      cluster.later_.push_back([this, epoch] {
        closed.push_back(epoch);
        coordination->closed(epoch);
      });
    }

    Cluster& cluster;
    std::uint32_t index, count;
    flow::Intake intake;
    std::unique_ptr<cluster::Coordination> coordination;
    std::vector<std::int64_t> ended, closed;
    bool ready = false, drained = false;
    std::uint32_t stages_over = 0, last_words = 0;
  };

  Worker& operator[](std::size_t i) { return *workers_[i]; }
  std::mt19937& random() { return random_; }

  // Whether there was something to do.
  bool step() {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> waiting;
    for (const auto& [link, messages] : links_)
      if (!messages.empty()) waiting.push_back(link);
    const std::size_t choices = waiting.size() + later_.size();
    if (choices == 0) return false;
    const std::size_t choice = random_() % choices;
    if (choice >= waiting.size()) {
      const auto at = later_.begin() + static_cast<std::ptrdiff_t>(choice - waiting.size());
      const std::function<void()> next = std::move(*at);
      later_.erase(at);
      next();
      return true;
    }
    const auto [from, to] = waiting[choice];
    const wire::LinkMessage message = links_[waiting[choice]].front();
    links_[waiting[choice]].pop_front();
    deliver(from, *workers_[to], message);
    return true;
  }
  void run() {
    while (step()) {
    }
  }

 private:
  void deliver(std::uint32_t from, Worker& to, const wire::LinkMessage& message) {
    const auto* batch = std::get_if<wire::Batch>(&message);
    if (!batch) {
      CHECK(to.coordination->on_message(from, message));
      return;
    }
    CHECK(batch->count == to.ended.size() + 1);  // neither before nor behind its epoch
    if (batch->pipeline == kLastWords) {
      CHECK(to.stages_over <= batch->step);  // its steps of that stage have not ended
      ++to.last_words;
    } else if (batch->step > 1) {
      to.pass_on(batch->step - 1, batch->count);
    }
  }

  std::mt19937 random_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::deque<wire::LinkMessage>> links_;
  std::deque<std::function<void()>> later_;
};

using Epochs = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("every record is processed in its epoch on every worker that it comes to") {
  for (std::uint32_t seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    const std::uint32_t workers = 2 + seed % 3, stages = 1 + seed % 4;
    Cluster cluster(workers, stages, seed);
    const auto any = [&]() -> Cluster::Worker& { return cluster[cluster.random()() % workers]; };
    for (int n = 0; n < 600; ++n) {
      Cluster::Worker& sender = any();
      if (!sender.intake.paused()) sender.send_record(1 + cluster.random()() % stages);
      if (n % 50 == 0) any().coordination->want_end();
      for (int steps = 0; steps < 6; ++steps) cluster.step();
    }
    cluster.run();
    for (std::uint32_t i = 0; i < workers; ++i) {
      CHECK_FALSE(cluster[i].intake.paused());
      CHECK(cluster[i].closed == cluster[0].ended);
      CHECK(cluster[i].ended == cluster[0].ended);
    }
    CHECK(cluster[0].ended.size() > 3);
  }
}

TEST_CASE("wanted by several at once, an epoch ends once; wanted again, again") {
  Cluster cluster(3, 1, 1);
  for (std::uint32_t i = 0; i < 3; ++i) cluster[i].coordination->want_end();
  cluster.run();
  CHECK(cluster[1].ended.size() <= 2);
  const std::size_t so_far = cluster[1].ended.size();
  cluster[2].coordination->want_end();
  cluster.run();
  CHECK(cluster[0].ended.size() == so_far + 1);
  CHECK(cluster[0].closed == cluster[2].closed);
}

TEST_CASE("all begin when all are ready, and have drained when all have and an epoch has closed") {
  Cluster cluster(3, 2, 7);
  cluster[2].coordination->ready();
  cluster[0].coordination->ready();
  cluster.run();
  CHECK_FALSE(cluster[2].ready);
  cluster[1].coordination->ready();
  cluster.run();
  for (std::uint32_t i = 0; i < 3; ++i) CHECK(cluster[i].ready);
  cluster[0].coordination->sources_drained();
  cluster[1].coordination->sources_drained();
  cluster[1].coordination->sources_drained();
  cluster.run();
  CHECK_FALSE(cluster[0].drained);
  cluster[2].coordination->sources_drained();
  cluster.run();
  for (std::uint32_t i = 0; i < 3; ++i) {
    CHECK(cluster[i].drained);
    CHECK(cluster[i].closed == Epochs{1});
  }
}

TEST_CASE("when all sources have ended, steps end stage by stage, on all workers") {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    const std::uint32_t workers = 2 + seed % 3, stages = 1 + seed % 4;
    Cluster cluster(workers, stages, seed);
    for (std::uint32_t i = 0; i < workers; ++i) {
      for (int n = 0; n < 20; ++n) {
        if (!cluster[i].intake.paused()) cluster[i].send_record(1 + cluster.random()() % stages);
        cluster.step();
      }
      cluster[i].coordination->want_end();
      cluster[i].coordination->sources_drained();
      for (int steps = 0; steps < 6; ++steps) cluster.step();
    }
    cluster.run();
    for (std::uint32_t i = 0; i < workers; ++i) {
      CHECK(cluster[i].drained);
      CHECK(cluster[i].stages_over == stages + 1);
      CHECK(cluster[i].last_words == stages);
    }
  }
}

TEST_CASE("what makes no sense is refused") {
  Cluster cluster(2, 1, 1);
  cluster::Coordination& other = *cluster[1].coordination;
  CHECK_FALSE(other.on_message(0, wire::Commit{5}));
  CHECK_FALSE(other.on_message(0, wire::EndEpoch{2}));
  CHECK_FALSE(other.on_message(0, wire::Barrier{1, 0}));
  CHECK_FALSE(other.on_message(0, wire::Barrier{1, 3}));
  CHECK_FALSE(other.on_message(0, wire::Barrier{3, 1}));
  CHECK_FALSE(cluster[0].coordination->on_message(1, wire::Stored{1}));
}

TEST_CASE("alone everything is agreed at once") {
  Cluster cluster(1, 0, 1);
  cluster[0].coordination->ready();
  CHECK(cluster[0].ready);
  cluster[0].coordination->want_end();
  CHECK(cluster[0].ended == Epochs{1});
  cluster.run();
  CHECK(cluster[0].closed == Epochs{1});
}
