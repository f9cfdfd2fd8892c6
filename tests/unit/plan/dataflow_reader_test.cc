#include "server/plan/dataflow_reader.h"

#include <doctest/doctest.h>

#include <string>

#include "embed/error.h"
#include "embed/value.h"
#include "server/plan/mistakes.h"
#include "tests/unit/python.h"

using namespace machida;
using Texts = std::vector<std::string>;

namespace {

plan::Dataflow read(const embed::Gil& gil, const std::string& steps) {
  return plan::read_dataflow(
      gil, testing::python(gil,
                           "from types import SimpleNamespace\n"
                           "it = SimpleNamespace(_bare_window_output=True, _steps=" +
                               steps + ")"));
}

Texts mistakes_in(const embed::Gil& gil, const std::string& steps) {
  try {
    read(gil, steps);
  } catch (const plan::PlanError& error) {
    return error.mistakes();
  }
  return {};
}

}  // namespace

TEST_CASE("a dataflow is a stream of steps per input") {
  const embed::GilLock gil;
  const plan::Dataflow flow = read(gil, R"([
      ('input', 'in', 'source'), ('map', 'm', len), ('inspect', None, print),
      ('inspect_worker', None, print, True), ('redistribute', None),
      ('reduce', 'r', max, bool), ('output', 'out', 'sink'), ('filter', 'f', bool),
      ('input', 'second', 'other'), ('output', 'out2', 'sink2')])");
  CHECK(flow.bare_windows);
  REQUIRE(flow.streams.size() == 2);
  const plan::StreamSpec& first = flow.streams[0];
  CHECK(first.input_id == "in");
  CHECK(embed::str(gil, first.source) == "source");
  REQUIRE(first.steps.size() == 7);
  CHECK(std::get<plan::OperatorSpec>(first.steps[0]).id == "m");
  CHECK(std::get<plan::OperatorSpec>(first.steps[1]).id == "inspect-2");
  CHECK(std::get<plan::OperatorSpec>(first.steps[2]).kind ==
        plan::OperatorSpec::Kind::kInspectItem);
  CHECK(std::get<plan::RedistributeSpec>(first.steps[3]).id == "redistribute-4");
  CHECK(std::get<plan::KeyedSpec>(first.steps[4]).id == "r");
  CHECK(embed::str(gil, std::get<plan::OutputSpec>(first.steps[5]).sink) == "sink");
  CHECK(std::get<plan::OperatorSpec>(first.steps[6]).kind == plan::OperatorSpec::Kind::kFilter);
  CHECK(flow.streams[1].input_id == "second");
  CHECK(flow.streams[1].steps.size() == 1);
}

TEST_CASE("every mistake of a dataflow is told at once") {
  const embed::GilLock gil;
  CHECK(mistakes_in(gil, "[]") == Texts{"Dataflow needs to contain at least one input",
                                        "Dataflow needs to contain at least one output"});
  CHECK(mistakes_in(gil, R"([
      ('map', 'early', len), ('input', 'in', 'source'), ('map', 'm', 5), ('mop', 'x', len),
      ('map', 'in', len), ('filter', 'f'), ('batch', 'b', 1, 2), ('output', 'out', 'sink')])") ==
        Texts{"map step 'early': it comes before every input",
              "map step 'm': its function is no function, but int: 5",
              "mop step 'x': there is no such operator",
              "map step 'in': the id is used by another step, too",
              "filter step 'f': a tuple of 2 parts is no such step",
              "batch step 'b': timeout must be a timedelta, got int: 2"});
}

TEST_CASE("what is no Dataflow is refused") {
  const embed::GilLock gil;
  CHECK_THROWS_WITH_AS(plan::read_dataflow(gil, testing::python(gil, "it = 5")),
                       "TypeError: a Dataflow is needed, got int", embed::PythonError);
}
