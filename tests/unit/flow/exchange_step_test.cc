#include "server/flow/exchange_step.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "embed/value.h"
#include "server/flow/memory_exchange.h"
#include "server/worker/in_process.h"
#include "tests/unit/flow/wallaroo_steps.h"

using namespace machida;

namespace {

// Several workers in this process; worker w is fed the frames of place w.
class Workers {
 public:
  Workers(const embed::Gil& gil, std::uint32_t workers, const std::string& steps)
      : plan_(testing::plan_of_steps(gil, steps)), exchange_(workers) {
    for (std::uint32_t i = 0; i < workers; ++i)
      workers_.push_back(
          std::make_unique<worker::InProcess>(gil, plan_, worker::UnknownKeyPolicy::kDrop, 100,
                                              worker::Seat{i, workers, &exchange_.exchange()}));
  }

  void feed(const embed::Gil& gil, std::size_t worker,
            const std::vector<std::string_view>& frames) {
    workers_[worker]->feed_frames(gil, 0, {frames.begin(), frames.end()});
  }
  void settle(const embed::Gil& gil) {
    while (!exchange_.idle())
      for (std::uint32_t i = 0; i < workers_.size(); ++i)
        while (auto arrival = exchange_.take(i)) workers_[i]->receive(gil, std::move(*arrival));
  }
  std::vector<std::string> outputs(std::size_t worker) const {
    std::vector<std::string> texts;
    for (const worker::Output& output : workers_[worker]->outputs(0, 0))
      texts.push_back(output.value);
    return texts;
  }
  worker::InProcess& operator[](std::size_t i) { return *workers_[i]; }

 private:
  plan::Plan plan_;
  flow::MemoryExchange exchange_;
  std::vector<std::unique_ptr<worker::InProcess>> workers_;
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("listed keys live on the worker of their place in the list, whoever reads them") {
  const embed::GilLock gil;
  Workers workers(gil, 2,
                  "('to_state_partition', count, Count, 's', By(lambda d: d), ['a', 'b', 'c'])");
  workers.feed(gil, 0, {"a", "b", "c", "b"});
  workers.feed(gil, 1, {"c", "b", "a"});
  workers.settle(gil);
  CHECK(workers.outputs(0) == Texts{"a1", "c1", "c2", "a2"});
  CHECK(workers.outputs(1) == Texts{"b1", "b2", "b3"});
  CHECK(workers[0].assembly().states()[0]->size() == 2);
  CHECK(workers[1].assembly().states()[0]->size() == 1);
}

TEST_CASE("keys on demand are on one worker each, and on all workers together") {
  const embed::GilLock gil;
  Workers workers(gil, 3, "('to_state_partition', count, Count, 's', By(lambda d: d))");
  std::vector<std::string> keys;
  for (int i = 0; i < 300; ++i) keys.push_back("key" + std::to_string(i) + "/");
  const std::vector<std::string_view> frames(keys.begin(), keys.end());
  for (std::size_t w = 0; w < 3; ++w) workers.feed(gil, w, frames);
  workers.settle(gil);
  std::map<std::string, int> seen;
  for (std::size_t w = 0; w < 3; ++w) {
    const std::size_t own = workers[w].assembly().states()[0]->size();
    CHECK(own > 60);
    for (const std::string& output : workers.outputs(w)) ++seen[output];
  }
  CHECK(seen.size() == 900);
  for (const std::string& key : keys) CHECK(seen[key + "3"] == 1);
}

TEST_CASE("to_stateful state is on one worker; plain steps run where the record is") {
  const embed::GilLock gil;
  Workers workers(gil, 3, "('to', Step(lambda d: d)), ('to_stateful', count, Count, 's')");
  CHECK(workers[0].assembly().stages() == 1);
  for (std::size_t w = 0; w < 3; ++w) workers.feed(gil, w, {"a", "b"});
  workers.settle(gil);
  std::size_t with_outputs = 0;
  for (std::size_t w = 0; w < 3; ++w)
    if (!workers.outputs(w).empty()) {
      ++with_outputs;
      CHECK(workers.outputs(w).size() == 6);
    }
  CHECK(with_outputs == 1);
}

TEST_CASE("to_parallel spreads the records of one source over all workers") {
  const embed::GilLock gil;
  Workers workers(gil, 3, "('to_parallel', Step(lambda d: d))");
  workers.feed(gil, 1, {"a", "b", "c", "d", "e"});
  workers.settle(gil);
  CHECK(workers.outputs(1) == Texts{"a", "d"});
  CHECK(workers.outputs(2) == Texts{"b", "e"});
  CHECK(workers.outputs(0) == Texts{"c"});
}

TEST_CASE("records go on from the step that they were sent to, over several exchanges") {
  const embed::GilLock gil;
  Workers workers(gil, 2, R"(
      ('to_state_partition', Step(lambda d, s: (d + str(s.add()), True), 'one'), Count, 's',
       By(lambda d: d[0]), ['x', 'y']),
      ('to', Multi(lambda d: [d, d[::-1]])),
      ('to_state_partition', Step(lambda d, s: (d + ':' + str(s.add()), True), 'two'), Count, 't',
       By(lambda d: d[0]), ['x', '1', 'y', '2']))");
  CHECK(workers[0].assembly().stages() == 2);
  workers.feed(gil, 0, {"x", "y", "y"});
  workers.settle(gil);
  CHECK(workers.outputs(0) == Texts{"x1:1", "y1:1", "y2:2"});
  CHECK(workers.outputs(1) == Texts{"1y:1", "2y:1", "1x:2"});
}

TEST_CASE("what a partition function fails on is a dead letter where the record was") {
  const embed::GilLock gil;
  Workers workers(gil, 2, R"(('to_state_partition', count, Count, 's',
      By(lambda d: 1 // (d != 'raise') and d), ['a', 'b']))");
  workers.feed(gil, 0, {"a", "raise", "b", "unknown"});
  workers.settle(gil);
  CHECK(workers.outputs(0) == Texts{"a1"});
  CHECK(workers.outputs(1) == Texts{"b1"});
  REQUIRE(workers[0].dead_letters().size() == 1);
  CHECK(workers[0].dead_letters()[0].place.step == "count");
}

TEST_CASE("one worker has no routing step") {
  const embed::GilLock gil;
  const plan::Plan plan = testing::plan_of_steps(gil, "('to_stateful', count, Count, 's')");
  worker::InProcess alone(gil, plan, worker::UnknownKeyPolicy::kDrop, 100);
  CHECK(alone.assembly().stages() == 0);
}
