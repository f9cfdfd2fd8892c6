#include "server/step_trace.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "embed/error.h"
#include "embed/object.h"
#include "embed/pickling.h"
#include "embed/value.h"
#include "server/base/system_time.h"
#include "server/flow/batch_step.h"
#include "server/flow/reduce_step.h"
#include "server/flow/stateful_map_step.h"
#include "server/flow/window_step.h"
#include "server/trace.h"
#include "server/window_config.h"

namespace machida {
namespace {

using embed::Gil;
using embed::Object;

struct TraceTime final : SystemTime {
  std::int64_t us = 0;
  std::int64_t now_us() const override { return us; }
};

struct Throws final : flow::DeadLetters {
  void add(const Gil&, const flow::Place&, const embed::PythonError& error, _object*) override {
    throw error;
  }
};

// The newest snapshot of each key, pickled.
class Snapshots final : public flow::StateWriter {
 public:
  explicit Snapshots(const Gil& gil) : pickling_(gil) {}
  void write(const Gil& gil, const std::string&, PyObject* key, PyObject* state) override {
    by_key_[embed::str(gil, Object::borrow(gil, key))] = pickling_.dump(gil, state);
  }
  void forget(const Gil& gil, const std::string&, PyObject* key) override {
    if (by_key_.erase(embed::str(gil, Object::borrow(gil, key))) == 0)
      throw std::invalid_argument("a key was forgotten that had not been written");
  }
  void restore_into(const Gil& gil, flow::EpochStates& states) const {
    for (const auto& [key, state] : by_key_)
      states.restore(gil, embed::make_str(gil, key), pickling_.load(gil, state));
  }
  std::size_t size() const noexcept { return by_key_.size(); }

 private:
  embed::Pickling pickling_;
  std::map<std::string, std::string> by_key_;
};

class Trace {
 public:
  Trace(const Gil& gil, const Object& config) : config_(config.clone(gil)), snapshots_(gil) {
    step_ = make_step(gil);
    step_->states()->write_to(snapshots_);
  }

  // (outputs, when the step is due or None, keys it holds)
  Object event(const Gil& gil, const Object& event) {
    const std::vector<Object> parts = embed::items(gil, event);
    const std::string kind = parts.empty() ? "" : embed::str(gil, parts[0]);
    flow::Batch out;
    if (kind == "items" && parts.size() == 3) {
      time_.us = embed::integer(gil, parts[1]);
      run(gil, parts[2], out);
    } else if (kind == "due" && parts.size() == 2) {
      time_.us = embed::integer(gil, parts[1]);
      while (step_->next_due_us() && *step_->next_due_us() <= time_.us)
        step_->on_due(gil, time_.us, out);
    } else if (kind == "eof" && parts.size() == 1) {
      step_->on_eof(gil, out);
    } else if (kind == "epoch" && parts.size() == 1) {
      while (step_->states()->write_some(gil, 1)) continue;
      step_->states()->end_epoch();
    } else if (kind == "restart" && parts.size() == 1) {
      restart(gil);
    } else {
      throw std::invalid_argument("no event of step_trace: " + embed::repr(gil, event, 200));
    }
    return result(gil, out);
  }

  std::uint64_t late() const { return metrics_.total(flow::LateItems::kCounter); }

 private:
  // In pieces, as a pipeline gives them.
  void run(const Gil& gil, const Object& records, flow::Batch& out) {
    if (!PyList_Check(records.get())) throw std::invalid_argument("items are a list");
    const Py_ssize_t size = PyList_GET_SIZE(records.get());
    flow::Batch in;
    for (Py_ssize_t i = 0; i < size; ++i) {
      PyObject* record = PyList_GET_ITEM(records.get(), i);
      Py_INCREF(record);
      in.push(record);
      if (in.size() < flow::kBatchRecordsMax && i + 1 < size) continue;
      step_->run(gil, in, out);
      in.clear(gil);
    }
  }

  void restart(const Gil& gil) {
    while (step_->states()->write_some(gil, 1)) continue;
    step_->states()->end_epoch();
    while (step_->states()->write_some(gil, 1)) continue;
    if (snapshots_.size() != step_->keys())
      throw std::invalid_argument("the snapshots are not of the keys that the step holds");
    step_ = make_step(gil);
    snapshots_.restore_into(gil, *step_->states());
    step_->states()->write_to(snapshots_);
  }

  Object result(const Gil& gil, flow::Batch& out) const {
    std::vector<Object> outputs;
    outputs.reserve(out.size());
    for (std::size_t i = 0; i < out.size(); ++i) outputs.push_back(Object::steal(gil, out.take(i)));
    out.clear(gil);
    const Object list = embed::make_list(gil, std::move(outputs));
    const std::optional<std::int64_t> due_us = step_->next_due_us();
    const Object due = due_us ? embed::make_int(gil, *due_us) : embed::none(gil);
    return Object::steal(
        gil, Py_BuildValue("(OOn)", list.get(), due.get(), static_cast<Py_ssize_t>(step_->keys())));
  }

  Object entry(const Gil& gil, const char* name) const {
    std::optional<Object> found = find_entry(gil, config_, name);
    if (!found) throw std::invalid_argument("config lacks " + std::string(name));
    return std::move(*found);
  }

  flow::KeyedBuilder builder(const Gil& gil) const {
    const std::string takes = word_of(gil, config_, "builder_takes", "nothing");
    return {entry(gil, "builder"),
            takes == "key" ? flow::BuilderTakes::kKey : flow::BuilderTakes::kNothing};
  }

  std::unique_ptr<flow::KeyedStep> make_step(const Gil& gil) {
    const std::string kind = word_of(gil, config_, "step", "");
    const flow::Place place{"flow", kind};
    if (kind == "batch")
      return std::make_unique<flow::BatchStep>(
          place, throws_,
          flow::BatchStep::Parts{number_of(gil, config_, "max_size"),
                                 number_of(gil, config_, "timeout_us"), time_});
    if (kind == "stateful_map")
      return std::make_unique<flow::StatefulMapStep>(
          place, throws_, flow::StatefulMapStep::Parts{builder(gil), entry(gil, "mapper")});
    if (kind == "reduce")
      return std::make_unique<flow::ReduceStep>(
          place, throws_,
          flow::ReduceStep::Parts{entry(gil, "reducer"), entry(gil, "is_complete")});
    window::Windower windower = read_windower(gil, config_);
    const bool sessions = std::holds_alternative<window::SessionWindows>(windower.windows());
    const bool system = word_of(gil, config_, "clock", "") == "system";
    std::optional<Object> metadata = find_entry(gil, config_, "metadata");
    return std::make_unique<flow::WindowStep>(
        place, throws_,
        flow::WindowStep::Parts{.windower = std::move(windower),
                                .dt_getter = system ? Object() : entry(gil, "dt_getter"),
                                .metadata_class = metadata ? std::move(*metadata) : Object(),
                                .logic = make_logic(gil, kind, sessions),
                                .time = time_},
        metrics_);
  }

  std::unique_ptr<flow::WindowLogic> make_logic(const Gil& gil, const std::string& kind,
                                                bool sessions) const {
    if (kind == "reduce_window") return flow::reduce_logic(entry(gil, "reducer"));
    if (kind == "collect_window") return flow::collect_logic();
    if (kind == "fold_window")
      return flow::fold_logic(
          builder(gil), entry(gil, "folder"),
          sessions ? flow::FoldedWindows::kMayMerge : flow::FoldedWindows::kStayApart);
    throw std::invalid_argument("step_trace has no step '" + kind + "'");
  }

  Object config_;
  TraceTime time_;
  Throws throws_;
  Snapshots snapshots_;
  metrics::Registry metrics_;
  std::unique_ptr<flow::KeyedStep> step_;
};

Object run(const Gil& gil, const Object& config, const Object& events) {
  Trace trace(gil, config);
  std::vector<Object> results;
  for (const Object& event : embed::items(gil, events)) results.push_back(trace.event(gil, event));
  const Object list = embed::make_list(gil, std::move(results));
  return Object::steal(
      gil, Py_BuildValue("(OK)", list.get(), static_cast<unsigned long long>(trace.late())));
}

}  // namespace

PyObject* step_trace(PyObject*, PyObject* args) { return run_trace("step_trace", args, run); }

}  // namespace machida
