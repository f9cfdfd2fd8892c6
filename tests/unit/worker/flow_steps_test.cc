#include "server/worker/flow_steps.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "embed/value.h"
#include "server/flow/memory_exchange.h"
#include "server/flow/pipeline.h"
#include "server/plan/dataflow_reader.h"
#include "tests/unit/flow/keyed_runner.h"

using namespace machida;
using embed::Gil;
using embed::Object;

namespace {

// Appends the items to a list.
class ListStep final : public flow::Step {
 public:
  ListStep(flow::DeadLetters& dead_letters, std::vector<std::string>& texts)
      : Step({"in", "out"}, dead_letters), texts_(texts) {}
  void run(const Gil& gil, flow::Batch& in, flow::Batch& out) override {
    for (std::size_t i = 0; i < in.size(); ++i) {
      texts_.push_back(embed::repr(gil, Object::borrow(gil, in.at(i))));
      out.push(in.take(i));
    }
  }

 private:
  std::vector<std::string>& texts_;
};

// The workers of a dataflow in one process.
class Workers {
 public:
  Workers(const Gil& gil, std::uint32_t count, const std::string& steps)
      : gil_(gil),
        plan_(plan::read_dataflow(
            gil, testing::python(gil,
                                 "from types import SimpleNamespace\n"
                                 "from datetime import timedelta\n"
                                 "it = SimpleNamespace(_bare_window_output=False, _steps=[" +
                                     steps + "])"))),
        exchange_(count),
        outputs(count) {
    for (std::uint32_t index = 0; index < count; ++index) {
      indices_.push_back(std::make_unique<std::uint64_t>(index));
      auto& texts = outputs[index];
      const worker::FlowSurroundings around{
          .keyed = {failures_, time, metrics_, no_class_},
          .epoch = epoch,
          .worker_index = *indices_.back(),
          .seat = {index, count, count > 1 ? &exchange_.exchange() : nullptr},
          .make_output =
              [this, &texts](const plan::OutputSpec&) {
                return std::make_unique<ListStep>(failures_, texts);
              },
          .assign_output =
              [](const plan::OutputSpec&) { return std::unique_ptr<flow::Assignment>(); }};
      std::vector<std::unique_ptr<flow::Step>> made;
      worker::make_flow_steps(gil, plan_.streams.at(0), around, made);
      pipelines_.push_back(std::make_unique<flow::Pipeline>(
          "in", nullptr, std::move(made), std::vector<std::unique_ptr<flow::OutputStep>>(),
          metrics_));
    }
  }

  void run(std::uint32_t worker, const std::string& items) {
    flow::Batch records;
    for (const Object& each : embed::items(gil_, testing::python(gil_, "it = " + items)))
      records.push(each.clone(gil_).release());
    pipelines_[worker]->run_records(gil_, records);
    take_arrivals();
  }
  void eof() {
    std::vector<std::size_t> next(pipelines_.size(), 0);
    while (next[0] < pipelines_[0]->steps()) {
      for (std::size_t i = 0; i < pipelines_.size(); ++i)
        next[i] = pipelines_[i]->end_stage(gil_, next[i]);
      take_arrivals();
    }
  }
  std::vector<std::string> all() const {
    std::vector<std::string> texts;
    for (const auto& each : outputs) texts.insert(texts.end(), each.begin(), each.end());
    std::sort(texts.begin(), texts.end());
    return texts;
  }

 private:
  void take_arrivals() {
    while (!exchange_.idle())
      for (std::uint32_t worker = 0; worker < pipelines_.size(); ++worker)
        while (auto arrival = exchange_.take(worker))
          pipelines_[worker]->run_from(gil_, arrival->to.step, arrival->records);
  }

  static inline const Object no_class_;
  const Gil& gil_;
  plan::Dataflow plan_;
  testing::Failures failures_;
  metrics::Registry metrics_;
  flow::MemoryExchange exchange_;
  std::vector<std::unique_ptr<std::uint64_t>> indices_;

 public:
  std::vector<std::vector<std::string>> outputs;  // by worker
  testing::ManualTime time;
  std::uint64_t epoch = 1;

 private:
  std::vector<std::unique_ptr<flow::Pipeline>> pipelines_;
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("the steps of a stream run in order") {
  const embed::GilLock gil;
  Workers flow(gil, 1,
               "('input', 'in', 0), ('flat_map', 'words', str.split), ('redistribute', None),"
               "('map', 'pair', lambda w: (w, 1)), ('filter', 'no-c', lambda p: p[0] != 'c'),"
               "('stateful_map', 'count', int, lambda s, v: (s + v, s + v), False),"
               "('output', 'out', 0), ('filter_map', 'none', lambda p: None)");
  flow.run(0, "['a b a', 'c', 'b']");
  CHECK(flow.outputs[0] == Texts{"('a', 1)", "('b', 1)", "('a', 2)", "('b', 2)"});
}

TEST_CASE("inspectors see epoch and worker as they are then") {
  const embed::GilLock gil;
  Workers flow(gil, 2,
               "('input', 'in', 0), ('inspect_epoch', None, lambda e, x: x.append(e)), "
               "('inspect_worker', None, lambda w, x: x.append(w), False), ('output', 'out', 0)");
  flow.run(0, "[[]]");
  flow.epoch = 9;
  flow.run(1, "[[]]");
  CHECK(flow.outputs[0] == Texts{"[1, 0]"});
  CHECK(flow.outputs[1] == Texts{"[9, 1]"});
}

TEST_CASE("a key has one worker, whoever reads its items") {
  const embed::GilLock gil;
  Workers flow(gil, 3,
               "('input', 'in', 0),"
               "('stateful_map', 's', list, lambda s, v: (s + [v], tuple(s + [v])), False),"
               "('output', 'out', 0)");
  for (std::uint32_t worker = 0; worker < 3; ++worker)
    flow.run(worker, "[(chr(ord('a') + i), 1) for i in range(20)]");
  const Texts all = flow.all();
  REQUIRE(all.size() == 60);
  for (const char* expected : {"('a', (1,))", "('a', (1, 1))", "('a', (1, 1, 1))"})
    CHECK(std::count(all.begin(), all.end(), expected) == 1);
  for (const Texts& texts : flow.outputs) CHECK(texts.size() > 0);
}

TEST_CASE("redistribute gives every worker its share") {
  const embed::GilLock gil;
  Workers flow(gil, 3, "('input', 'in', 0), ('redistribute', None), ('output', 'out', 0)");
  flow.run(0, "list(range(30))");
  for (const Texts& texts : flow.outputs) CHECK(texts.size() == 10);
}

TEST_CASE("at the end a step is ended after all workers have ended those in front of it") {
  const embed::GilLock gil;
  // Lists of lists: the second step must get everything that the first one held anywhere.
  Workers flow(
      gil, 3,
      "('input', 'in', 0), ('batch', 'first', 100, timedelta(days=1)),"
      "('map', 'one', lambda kv: ('ALL', kv)), ('batch', 'second', 100, timedelta(days=1)),"
      "('map', 'sorted', lambda kv: (kv[0], sorted(kv[1]))), ('output', 'out', 0)");
  flow.run(1, "[('a', 1), ('b', 2), ('c', 3)]");
  flow.run(2, "[('b', 4), ('d', 5)]");
  CHECK(flow.all().empty());
  flow.eof();
  CHECK(flow.all() == Texts{"('ALL', [('a', [1]), ('b', [2, 4]), ('c', [3]), ('d', [5])])"});
}
