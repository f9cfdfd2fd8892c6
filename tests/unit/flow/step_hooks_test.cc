// What a pipeline asks of steps that hold records back.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "embed/value.h"
#include "server/flow/encode_step.h"
#include "server/flow/pipeline.h"
#include "tests/unit/python.h"

using namespace machida;
using embed::Gil;

namespace {

struct NoDeadLetters final : flow::DeadLetters {
  void add(const Gil&, const flow::Place&, const embed::PythonError& error, _object*) override {
    FAIL(error.what());
  }
};

// Holds every record back: one is due at `due_us`, the others at the end.
class Hold final : public flow::Step, public flow::TimedWork {
 public:
  Hold(std::string name, NoDeadLetters& dead_letters, std::int64_t due_us)
      : Step({"p", std::move(name)}, dead_letters), due_us_(due_us) {}
  void run(const Gil&, flow::Batch& in, flow::Batch&) override {
    for (std::size_t i = 0; i < in.size(); ++i) held_.push(in.take(i));
  }
  void on_eof(const Gil&, flow::Batch& out) override {
    for (; next_ < held_.size(); ++next_) out.push(held_.take(next_));
  }
  flow::TimedWork* timed() noexcept override { return this; }
  std::optional<std::int64_t> next_due_us() const override {
    return next_ < held_.size() ? std::optional(due_us_) : std::nullopt;
  }
  void on_due(const Gil&, std::int64_t now_us, flow::Batch& out) override {
    CHECK(now_us >= due_us_);
    out.push(held_.take(next_++));
  }

 private:
  std::int64_t due_us_;
  flow::Batch held_;
  std::size_t next_ = 0;
};

class Written final : public flow::Outlet {
 public:
  void write(std::string_view bytes) override { lines.emplace_back(bytes); }
  std::uint64_t mark() override { return 0; }
  bool delivered(std::uint64_t) override { return true; }
  std::vector<std::string> lines;
};

using Texts = std::vector<std::string>;

// Two holding steps, due at 10 and at 20, and a sink.
struct Line {
  NoDeadLetters dead_letters;
  metrics::Registry metrics;
  Written written;
  std::unique_ptr<flow::Pipeline> pipeline;

  explicit Line(const Gil& gil) {
    std::vector<std::unique_ptr<flow::Step>> steps;
    steps.push_back(std::make_unique<Hold>("first", dead_letters, 10));
    steps.push_back(std::make_unique<Hold>("second", dead_letters, 20));
    std::vector<std::unique_ptr<flow::OutputStep>> encoders;
    encoders.push_back(std::make_unique<flow::BytesEncodeStep>(
        flow::Place{"p", "encoder"}, dead_letters, testing::python(gil, "it = str"),
        metrics.counter("out"), written));
    pipeline = std::make_unique<flow::Pipeline>("p", nullptr, std::move(steps), std::move(encoders),
                                                metrics);
  }
  void run(const Gil& gil, std::initializer_list<int> numbers) {
    flow::Batch records;
    for (const int each : numbers) records.push(embed::make_int(gil, each).release());
    pipeline->run_records(gil, records);
  }
};

}  // namespace

TEST_CASE("at the end every step gives what it holds, through those behind it") {
  const embed::GilLock gil;
  Line line(gil);
  line.run(gil, {1, 2, 3});
  CHECK(line.written.lines.empty());
  line.pipeline->on_eof(gil);
  CHECK(line.written.lines == Texts{"1", "2", "3"});
  CHECK_FALSE(line.pipeline->next_due_us());
}

TEST_CASE("a pipeline is due when its first step is, and only steps that are due work") {
  const embed::GilLock gil;
  Line line(gil);
  CHECK_FALSE(line.pipeline->next_due_us());
  line.run(gil, {1, 2});
  CHECK(line.pipeline->next_due_us() == 10);
  line.pipeline->on_due(gil, 15);  // a piece: one record
  CHECK(line.written.lines.empty());
  CHECK(line.pipeline->next_due_us() == 10);
  line.pipeline->on_due(gil, 16);
  CHECK(line.pipeline->next_due_us() == 20);
  line.pipeline->on_due(gil, 20);
  CHECK(line.written.lines == Texts{"1"});
  line.pipeline->on_due(gil, 21);
  CHECK(line.written.lines == Texts{"1", "2"});
}
