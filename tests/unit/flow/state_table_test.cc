#include "server/flow/state_table.h"

#include <doctest/doctest.h>

#include "embed/error.h"
#include "embed/value.h"
#include "tests/unit/python.h"

using namespace machida;
using flow::StateTable;
using flow::UnlistedKeys;

TEST_CASE("equal keys share a state, whatever their type") {
  const embed::GilLock gil;
  StateTable table(gil, "s", testing::python(gil, "it = list"), UnlistedKeys::kCreate);
  const std::size_t first = table.find(gil, testing::python(gil, "it = 1").get());
  CHECK(first != StateTable::kNowhere);
  CHECK(table.find(gil, testing::python(gil, "it = 1.0").get()) == first);
  CHECK(table.find(gil, testing::python(gil, "it = 'x'").get()) != first);
  CHECK(table.size() == 2);
  CHECK(embed::repr(gil, table.snapshot(gil)) == "{1: [], 'x': []}");
}

TEST_CASE("the states of listed keys exist from the start; others are unknown") {
  const embed::GilLock gil;
  StateTable table(gil, "s", testing::python(gil, "it = list"), UnlistedKeys::kUnknown);
  std::vector<embed::Object> keys;
  keys.push_back(testing::python(gil, "it = 'a'"));
  table.create(gil, keys);
  CHECK(table.size() == 1);
  CHECK(table.find(gil, keys[0].get()) != StateTable::kNowhere);
  CHECK(table.find(gil, testing::python(gil, "it = 'b'").get()) == StateTable::kNowhere);
}

TEST_CASE("what a state's constructor raises is thrown for listed keys") {
  const embed::GilLock gil;
  StateTable table(gil, "s", testing::python(gil, "it = lambda: 1 // 0"), UnlistedKeys::kCreate);
  std::vector<embed::Object> keys;
  keys.push_back(embed::none(gil));
  CHECK_THROWS_AS(table.create(gil, keys), embed::PythonError);
}

namespace {

// What was written, as text: "key=state".
struct Written final : flow::StateWriter {
  std::vector<std::string> lines;
  void write(const embed::Gil& gil, const std::string&, _object* key, _object* state) override {
    lines.push_back(embed::str(gil, embed::Object::borrow(gil, key)) + "=" +
                    embed::str(gil, embed::Object::borrow(gil, state)));
  }
  void forget(const embed::Gil&, const std::string&, _object*) override { FAIL("not a table's"); }
};

}  // namespace

TEST_CASE("an epoch's states are written as they were at its end, each once") {
  const embed::GilLock gil;
  StateTable table(gil, "s", testing::python(gil, "it = list"), UnlistedKeys::kCreate);
  Written written;
  table.write_to(written);
  const embed::Object append = testing::python(gil, "def it(state, x): state.append(x)");
  const auto use = [&](const char* key, const char* value) {
    const std::size_t place = table.find(gil, embed::make_str(gil, key).get());
    const embed::Object state = embed::Object::borrow(gil, table.use(gil, place));
    embed::call(gil, append, state, embed::make_str(gil, value));
    table.changed(place);
  };
  use("a", "1");
  use("b", "1");
  use("a", "2");
  table.end_epoch();
  CHECK(written.lines.empty());  // lazily
  use("a", "3");
  CHECK(written.lines == std::vector<std::string>{"a=['1', '2']"});
  CHECK(table.write_some(gil, 1));
  CHECK_FALSE(table.write_some(gil, 10));
  CHECK(written.lines == std::vector<std::string>{"a=['1', '2']", "b=['1']"});
  table.end_epoch();
  CHECK_FALSE(table.write_some(gil, 10));
  CHECK(written.lines.back() == "a=['1', '2', '3']");
  CHECK(written.lines.size() == 3);
  CHECK_FALSE(table.has_changes());
}

TEST_CASE("a state that was saved takes the place of a fresh one") {
  const embed::GilLock gil;
  StateTable table(gil, "s", testing::python(gil, "it = list"), UnlistedKeys::kCreate);
  CHECK(table.restore(gil, embed::make_str(gil, "k"), testing::python(gil, "it = [7]")));
  CHECK(embed::repr(gil, table.snapshot(gil)) == "{'k': [7]}");
  StateTable listed(gil, "s", testing::python(gil, "it = list"), UnlistedKeys::kUnknown);
  CHECK_FALSE(listed.restore(gil, embed::make_str(gil, "k"), testing::python(gil, "it = [7]")));
  CHECK(listed.size() == 0);
}
