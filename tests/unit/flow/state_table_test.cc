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
  _object* first = table.find(gil, testing::python(gil, "it = 1").get());
  CHECK(first != nullptr);
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
  CHECK(table.find(gil, keys[0].get()) != nullptr);
  CHECK(table.find(gil, testing::python(gil, "it = 'b'").get()) == nullptr);
}

TEST_CASE("what a state's constructor raises is thrown for listed keys") {
  const embed::GilLock gil;
  StateTable table(gil, "s", testing::python(gil, "it = lambda: 1 // 0"), UnlistedKeys::kCreate);
  std::vector<embed::Object> keys;
  keys.push_back(embed::none(gil));
  CHECK_THROWS_AS(table.create(gil, keys), embed::PythonError);
}
