#include "server/worker/flow_states.h"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "embed/error.h"
#include "embed/value.h"
#include "server/checkpoint/recovery.h"
#include "server/flow/part_states.h"
#include "tests/unit/python.h"

using namespace machida;
using embed::Gil;
using embed::Object;

namespace {

// The states of a step in one worker. set() changes one; no text: it is forgotten.
class Kept final : public flow::EpochStates {
 public:
  void set(const std::string& key, std::optional<std::string> text) {
    changed_.insert_or_assign(key, std::move(text));
  }
  std::map<std::string, std::string> restored;

  const std::string& name() const noexcept override { return name_; }
  void write_to(flow::StateWriter& writer) override { writer_ = &writer; }
  bool has_changes() const noexcept override { return !changed_.empty(); }
  void end_epoch() override { ending_ = std::exchange(changed_, {}); }
  bool write_some(const Gil& gil, std::size_t) override {
    if (ending_.empty()) return false;
    const auto [key, text] = *ending_.begin();
    ending_.erase(ending_.begin());
    const Object python_key = embed::make_str(gil, key);
    if (text)
      writer_->write(gil, name_, python_key.get(), embed::make_str(gil, *text).get());
    else
      writer_->forget(gil, name_, python_key.get());
    return !ending_.empty();
  }
  bool restore(const Gil& gil, const Object& key, Object state) override {
    restored[embed::str(gil, key)] = embed::str(gil, state);
    return true;
  }

 private:
  std::string name_ = "count";
  flow::StateWriter* writer_ = nullptr;
  std::map<std::string, std::optional<std::string>> changed_, ending_;
};

// A process with two workers, which have a keyed step; the input's positions are with the first.
struct Process {
  Process(const Gil& gil, std::uint32_t number, std::uint32_t processes = 2)
      : states(gil, {{&positions, &kept[0]}, {&kept[1]}},
               {.process = number, .processes = processes, .here = 2}, embed::Pickling(gil)) {}

  flow::PartStates positions{"in"};
  Kept kept[2];
  worker::FlowStates states;
};

store::Key text(const std::string& key) { return store::key_of(store::KeyKind::kText, key); }

std::string pickled(const Gil& gil, const std::string& value) {
  return embed::Pickling(gil).dump(gil, embed::make_str(gil, value).get());
}

// Of one step: key -> pickled value, or nothing.
using Rows = std::map<std::string, std::optional<std::string>>;
Rows rows_of(const std::vector<store::StateRows>& states, const std::string& step) {
  Rows rows;
  for (const store::StateRows& of_step : states)
    for (const store::StateRow& row : of_step.rows)
      if (of_step.state == step) CHECK(rows.emplace(row.key.bytes, row.value).second);
  return rows;
}

}  // namespace

TEST_CASE("a stored state is given to the one worker that owns its key, in whichever process") {
  const embed::GilLock gil;
  Process first(gil, 0), second(gil, 1);
  std::size_t with_second = 0;
  for (int i = 0; i < 60; ++i) {
    const std::string key = "key-" + std::to_string(i);
    const std::uint32_t process = first.states.restore(gil, "count", text(key), pickled(gil, key));
    REQUIRE(process < 2);
    CHECK(second.states.restore(gil, "count", text(key), pickled(gil, key)) == process);
    with_second += process;
  }
  std::size_t found = 0;
  for (const Process* process : {&first, &second})
    for (const Kept& kept : process->kept) {
      CHECK(kept.restored.size() > 0);
      found += kept.restored.size();
      for (const auto& [key, value] : kept.restored) CHECK(key == value);
    }
  CHECK(found == 60);
  CHECK(with_second == second.kept[0].restored.size() + second.kept[1].restored.size());
}

TEST_CASE("the position of a partition is given to all processes: who has it is found later") {
  const embed::GilLock gil;
  Process process(gil, 1);
  const std::uint32_t to = process.states.restore(gil, "in", text("part"), pickled(gil, "offset"));
  CHECK(to == worker::FlowStates::kAll);
  CHECK(embed::str(gil, process.positions.resume_state(gil, "part")) == "offset");
}

TEST_CASE("a state of a step that the dataflow does not have any more is given to nobody") {
  const embed::GilLock gil;
  Process process(gil, 0);
  CHECK(process.states.restore(gil, "gone", text("a"), "no pickle") == worker::FlowStates::kNone);
  process.states.restored();
  CHECK(process.states.end_epoch(gil).empty());
}

TEST_CASE("a snapshot that can't be read is an error with the step's name") {
  const embed::GilLock gil;
  Process process(gil, 0, 1);
  CHECK_THROWS_WITH_AS(process.states.restore(gil, "count", text("a"), "no pickle"),
                       doctest::Contains("the snapshot of step 'count' can't be restored: "),
                       checkpoint::RecoveryError);
}

TEST_CASE("an epoch's rows are what changed in it in all workers, once") {
  const embed::GilLock gil;
  Process process(gil, 0);
  process.states.restored();
  process.kept[0].set("a", "one");
  process.kept[0].set("b", "two");
  process.kept[1].set("c", std::nullopt);
  process.positions.put("part", embed::make_str(gil, "offset"));
  const std::vector<store::StateRows> rows = process.states.end_epoch(gil);
  CHECK(rows_of(rows, "count") ==
        Rows{{"a", pickled(gil, "one")}, {"b", pickled(gil, "two")}, {"c", std::nullopt}});
  CHECK(rows_of(rows, "in") == Rows{{"part", pickled(gil, "offset")}});
  CHECK(process.states.end_epoch(gil).empty());
  process.kept[1].set("c", "again");
  CHECK(rows_of(process.states.end_epoch(gil), "count") == Rows{{"c", pickled(gil, "again")}});
}
