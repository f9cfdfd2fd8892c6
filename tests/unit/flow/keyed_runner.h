// Runs one keyed step in a unit test: records as Python source, a manual clock, outputs as text.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "embed/error.h"
#include "embed/value.h"
#include "server/base/system_time.h"
#include "server/flow/keyed_step.h"
#include "server/metrics/counter.h"
#include "tests/unit/python.h"

namespace machida::testing {

struct ManualTime final : SystemTime {
  std::int64_t us = 0;
  std::int64_t now_us() const override { return us; }
};

// Remembers every failure as its type, message and notes.
struct Failures final : flow::DeadLetters {
  std::vector<std::string> texts;
  void add(const embed::Gil&, const flow::Place&, const embed::PythonError& error,
           _object*) override {
    const std::string& trace = error.traceback();
    texts.push_back(trace.substr(trace.find(error.type())));
  }
};

// The newest snapshot of each key.
struct Snapshots final : flow::StateWriter {
  std::map<std::string, embed::Object> by_key;
  void write(const embed::Gil& gil, const std::string&, _object* key, _object* state) override {
    by_key.insert_or_assign(name(gil, key), embed::Object::borrow(gil, state));
  }
  void forget(const embed::Gil& gil, const std::string&, _object* key) override {
    if (by_key.erase(name(gil, key)) == 0) throw std::logic_error("forgotten, but never written");
  }
  static std::string name(const embed::Gil& gil, _object* key) {
    return embed::str(gil, embed::Object::borrow(gil, key));
  }
};

class KeyedRunner {
 public:
  // Makes the step of this runner.
  using Make = std::function<std::unique_ptr<flow::KeyedStep>(KeyedRunner&)>;
  KeyedRunner(const embed::Gil& gil, Make make) : gil_(gil), make_(std::move(make)) {
    step = make_(*this);
  }

  // The outputs as `repr` writes a list. `records` is a Python expression of a list.
  std::string run(const std::string& records) {
    flow::Batch in, out;
    for (const embed::Object& each : embed::items(gil_, python(gil_, prelude + "it = " + records)))
      in.push(each.clone(gil_).release());
    step->run(gil_, in, out);
    in.clear(gil_);
    return text_of(out);
  }
  std::string due(std::int64_t now_us) {
    time.us = now_us;
    flow::Batch out;
    step->on_due(gil_, now_us, out);
    return text_of(out);
  }
  std::string eof() {
    flow::Batch out;
    step->on_eof(gil_, out);
    return text_of(out);
  }
  // Ends an epoch, and goes on with a new step that knows nothing but the snapshots.
  void restart() {
    step->states()->end_epoch();
    while (step->states()->write_some(gil_, 1)) continue;
    step = make_(*this);
    for (const auto& [key, state] : snapshots.by_key)
      step->states()->restore(gil_, embed::make_str(gil_, key), state.clone(gil_));
    step->states()->write_to(snapshots);
  }
  // Before the first restart.
  void checkpointed() { step->states()->write_to(snapshots); }

  embed::Object object(const std::string& expression) {
    return python(gil_, prelude + "it = " + expression);
  }

  std::string prelude;  // Python source in front of every expression
  ManualTime time;
  Failures failures;
  Snapshots snapshots;
  metrics::Registry metrics;
  std::unique_ptr<flow::KeyedStep> step;

 private:
  std::string text_of(flow::Batch& batch) {
    std::vector<embed::Object> objects;
    for (std::size_t i = 0; i < batch.size(); ++i)
      objects.push_back(embed::Object::steal(gil_, batch.take(i)));
    batch.clear(gil_);
    return embed::repr(gil_, embed::make_list(gil_, std::move(objects)));
  }

  const embed::Gil& gil_;
  Make make_;
};

}  // namespace machida::testing
