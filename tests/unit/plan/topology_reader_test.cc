#include "server/plan/topology_reader.h"

#include <doctest/doctest.h>

#include <string>

#include "server/plan/mistakes.h"
#include "tests/unit/python.h"

using namespace machida;

namespace {

const char* const kParts = R"(
class Decoder:
    def ____wallaroo_length_fmt____(self, own): return '>H'
    def header_length(self): return 2
    def payload_length(self, b): return 0
    def decode(self, b): return b
class Encoder:
    def encode(self, d): return d
class Upper:
    def name(self): return 'upper'
    def compute(self, d): return d
class Split:
    def name(self): return 'split'
    def compute_multi(self, d): return [d]
class Count:
    def name(self): return 'count'
    def compute(self, d, s): return (d, True)
class By:
    def partition(self, d): return d
class State: pass
class Other: pass
class Builder:
    def build(self): return {}
class OtherBuilder(Builder): pass
class Wrapped:
    def __init__(self, state_cls): self.state_cls = state_cls
    def ____wallaroo_build____(self): return {}
class Storage:
    payload = str; name = 'orders'; router_branch_safe = True
    def build_partition(self, *args, **kwargs): pass
source = ('tcp', '127.0.0.1', '7010', Decoder())
sink = ('tcp', '127.0.0.1', 7002, Encoder())
begin, end = ('new_pipeline', 'p', source), ('to_sink', sink)
)";

plan::Plan read(const embed::Gil& gil, const std::string& topology) {
  return plan::read_topology(gil, testing::python(gil, kParts + ("it = " + topology)));
}

std::vector<std::string> mistakes(const embed::Gil& gil, const std::string& topology) {
  try {
    read(gil, topology);
  } catch (const plan::PlanError& error) {
    return error.mistakes();
  }
  return {};
}

}  // namespace

TEST_CASE("a whole topology becomes a plan") {
  const embed::GilLock gil;
  const plan::Plan plan =
      read(gil, R"([('name', 'app'), begin, ('to', Upper()), ('to_parallel', Split()),
    ('to_state_partition', Count(), State, 'counts', By(), ['a', 'b']),
    ('to_stateful', Count(), State, 'one'), ('to_sinks', [sink, sink]),
    ('new_pipeline', 'q', ('tcp', '::1', '0', Decoder())), 
    ('to_state_partition', Count(), State, 'counts', By(), ['a', 'b']), ('done',)])");
  CHECK(plan.name == "app");
  REQUIRE(plan.pipelines.size() == 2);
  const plan::PipelineSpec& first = plan.pipelines[0];
  CHECK(std::get<plan::TcpSourceSpec>(first.source.from).address == HostPort{"127.0.0.1", 7010});
  CHECK(first.source.decoder.length_format.has_value());
  REQUIRE(first.steps.size() == 4);
  CHECK(first.steps[1].parallel);
  CHECK(first.steps[1].outputs == plan::Outputs::kMany);
  CHECK(first.steps[2].kind == plan::StepKind::kKeyed);
  CHECK(first.sinks.size() == 2);
  CHECK(plan.pipelines[1].sinks.empty());
  REQUIRE(plan.states.size() == 2);
  CHECK(plan.states[0].keys->size() == 2);
  CHECK_FALSE(plan.states[1].keyed);
  CHECK(plan.pipelines[1].steps[0].state == plan::StateId{0});
}

TEST_CASE("storage sinks and the branches of a router are read") {
  const embed::GilLock gil;
  const plan::Plan plan = read(gil, R"([begin, ('to_router', [('a', bool, ('storage', Storage())),
    ('b', callable, sink)], ('storage', Storage()))])");
  const plan::PipelineSpec& pipeline = plan.pipelines[0];
  REQUIRE(pipeline.router.has_value());
  REQUIRE(pipeline.router->branches.size() == 2);
  CHECK(pipeline.router->branches[1].name == "b");
  REQUIRE(pipeline.sinks.size() == 3);
  const auto& storage = std::get<plan::StorageSinkSpec>(pipeline.sinks[2].to);
  CHECK(storage.name == "orders");
  CHECK(storage.type == "Storage");
  for (const char* wrong :
       {"('to_router', [], None)", "('to_router', 3, None)", "('to_router', [('a', bool)], None)",
        "('to_router', [('a', 3, sink)], None)", "('to_router', [('a', bool, 3)], None)",
        "('to_router', [(1, bool, sink)], sink)", "('to_sink', ('storage', 3))",
        "('to_sink', ('storage',))"}) {
    CAPTURE(wrong);
    CHECK_FALSE(mistakes(gil, "[begin, " + std::string(wrong) + "]").empty());
  }
}

TEST_CASE("keys are made on demand when no list, None or an empty list is given") {
  const embed::GilLock gil;
  for (const char* keys : {"", ", None", ", []"}) {
    CAPTURE(keys);
    const plan::Plan plan =
        read(gil, std::string("[begin, ('to_state_partition', Count(), State, 's', By()") + keys +
                      "), end]");
    CHECK_FALSE(plan.states[0].keys.has_value());
  }
}

TEST_CASE("every mistake of a topology is reported, with its pipeline and step") {
  const embed::GilLock gil;
  const auto found = mistakes(gil, R"([('to', Upper()), ('new_pipeline', 'p', ('tcp', 'h', 'x', 3)),
    ('to', 3), ('to_state_partition', Count(), State, 's', 3, ('a',)), ('bogus',), 4, ('done', 1),
    ('new_pipeline', 'p', source), ('to_sinks', [])])");
  std::string all;
  for (const std::string& text : found) all += text + "\n";
  for (const char* part :
       {"Please declare a new pipeline", "'x' is not a port", "3 is no decoder",
        "3 is no computation", "pipeline 'p', step 'count': 3 is no partition function",
        "must be a list", "'bogus'", "4 is no tuple", "'done' takes 0 arguments", "is not closed",
        "used by two pipelines", "empty list", "At least one pipeline must define a sink"}) {
    CAPTURE(part);
    CAPTURE(all);
    CHECK(all.find(part) != std::string::npos);
  }
}

TEST_CASE("one state name means one class and one list of keys") {
  const embed::GilLock gil;
  const std::string start = "[begin, ('to_state_partition', Count(), State, 's', By(), ['a']), ";
  CHECK(mistakes(gil, start + "('to_state_partition', Count(), State, 's', By(), ['a']), end]")
            .empty());
  CHECK(mistakes(gil, start + "('to_state_partition', Count(), Other, 's', By(), ['a']), end]")
            .size() == 1);
  CHECK(mistakes(gil, start + "('to_state_partition', Count(), State, 's', By(), ['b']), end]")
            .size() == 1);
  CHECK(mistakes(gil, start + "('to_stateful', Count(), State, 's'), end]").size() == 1);
}

TEST_CASE("equal builders of one state name are one type") {
  const embed::GilLock gil;
  const auto both = [&gil](const std::string& a, const std::string& b) {
    return mistakes(gil, "[begin, ('to_stateful', Count(), Wrapped(" + a +
                             "), 's'), ('to_stateful', Count(), Wrapped(" + b + "), 's'), end]")
        .size();
  };
  CHECK(both("Builder()", "Builder()") == 0);
  CHECK(both("sink[3].encode", "sink[3].encode") == 0);
  CHECK(both("State", "State") == 0);
  CHECK(both("Builder()", "OtherBuilder()") == 1);
  CHECK(both("sink[3].encode", "Encoder().encode") == 1);
  CHECK(both("Builder", "Builder()") == 1);
  CHECK(both("State", "Other") == 1);
}

TEST_CASE("keys must be hashable and different, u64 keys integers") {
  const embed::GilLock gil;
  const auto step = [&gil](const std::string& action, const std::string& keys) {
    return mistakes(gil,
                    "[begin, ('" + action + "', Count(), State, 's', By(), " + keys + "), end]")
        .size();
  };
  CHECK(step("to_state_partition", "['a', 'b', 'a']") == 1);
  CHECK(step("to_state_partition", "[[], 'b']") == 1);
  CHECK(step("to_state_partition", "[1, 1.0]") == 1);
  CHECK(step("to_state_partition_u64", "[0, 2**64 - 1]") == 0);
  CHECK(step("to_state_partition_u64", "[-1, True, 'a', 2**64]") == 4);
}

TEST_CASE("an application needs a closed pipeline and a sink") {
  const embed::GilLock gil;
  CHECK(mistakes(gil, "[]").size() == 1);
  CHECK(mistakes(gil, "[begin, ('done',)]").size() == 1);
  CHECK(mistakes(gil, "[begin, ('to', Upper())]").size() == 2);
  CHECK(mistakes(gil, "[begin, end, ('done',)]").empty());
  CHECK(mistakes(gil, "[begin, end, ('to', Upper())]").size() == 1);
  CHECK(mistakes(gil, "3").size() == 1);
}
