#include "server/plan/topology_reader.h"

#include <map>

#include "embed/error.h"
#include "embed/key_set.h"
#include "embed/value.h"
#include "server/plan/keyed_reader.h"
#include "server/plan/mistakes.h"
#include "server/plan/parts.h"
#include "server/plan/whole_plan.h"

namespace machida::plan {
namespace {

using embed::Gil;
using embed::Object;

std::string quoted(const std::string& name) { return "'" + name + "'"; }

// Walks the tuples once, in order. A pipeline is open from new_pipeline to its sink or done().
class TopologyReader {
 public:
  explicit TopologyReader(const Gil& gil) : gil_(gil), parts_(mistakes_) {}

  Plan read(const Object& topology);

 private:
  using Handler = void (TopologyReader::*)(const std::vector<Object>& parts);

  void read_tuple(std::size_t index, const Object& tuple);
  void read_name(const std::vector<Object>& parts);
  void read_pipeline(const std::vector<Object>& parts);
  void read_stateless(const std::vector<Object>& parts);
  void read_parallel(const std::vector<Object>& parts);
  void read_stateful(const std::vector<Object>& parts);
  void read_keyed(const std::vector<Object>& parts);
  void read_keyed_u64(const std::vector<Object>& parts);
  void read_window(const std::vector<Object>& parts);
  void read_sink(const std::vector<Object>& parts);
  void read_sinks(const std::vector<Object>& parts);
  void read_router(const std::vector<Object>& parts);
  void read_done(const std::vector<Object>& parts);

  // A step added to the open pipeline; sets place_. Null when there is none.
  StepSpec* open_step(const std::string& name, StepKind kind);
  // The same for the step of a computation.
  StepSpec* open_step(const Object& computation, StepKind kind);
  StateId use_state(const std::string& name, StateSpec wanted);
  std::optional<std::string> state_name(const Object& name);
  std::optional<std::vector<Object>> read_keys(const Object& keys, bool only_u64);
  bool same_type(const StateSpec& a, const StateSpec& b);
  bool same_keys(const StateSpec& a, const StateSpec& b);
  void add_sink(const Object& tuple);
  void wrong(const std::string& what) { mistakes_.add(place_ + ": " + what); }

  const Gil& gil_;
  Mistakes mistakes_;
  PartReader parts_;
  Plan plan_;
  bool open_ = false;
  std::string place_;
  std::string action_;
};

Plan TopologyReader::read(const Object& topology) {
  std::size_t index = 0;
  for (const Object& tuple : embed::items(gil_, topology)) read_tuple(index++, tuple);
  if (open_)
    mistakes_.add("pipeline " + quoted(plan_.pipelines.back().name) +
                  ": Did you forget to close out a pipeline? It needs a sink or done()");
  check_whole(plan_, mistakes_);
  if (!mistakes_.empty()) throw PlanError(mistakes_.texts());
  return std::move(plan_);
}

void TopologyReader::read_tuple(std::size_t index, const Object& tuple) {
  struct Action {
    Handler handler;
    std::size_t parts_min, parts_max;
  };
  static const std::map<std::string, Action> kActions = {
      {"name", {&TopologyReader::read_name, 2, 2}},
      {"new_pipeline", {&TopologyReader::read_pipeline, 3, 3}},
      {"to", {&TopologyReader::read_stateless, 2, 2}},
      {"to_parallel", {&TopologyReader::read_parallel, 2, 2}},
      {"to_stateful", {&TopologyReader::read_stateful, 4, 4}},
      {"to_state_partition", {&TopologyReader::read_keyed, 5, 6}},
      {"to_state_partition_u64", {&TopologyReader::read_keyed_u64, 5, 6}},
      {"to_window", {&TopologyReader::read_window, 4, 4}},
      {"to_sink", {&TopologyReader::read_sink, 2, 2}},
      {"to_sinks", {&TopologyReader::read_sinks, 2, 2}},
      {"to_router", {&TopologyReader::read_router, 3, 3}},
      {"done", {&TopologyReader::read_done, 1, 1}},
  };
  place_ = "tuple " + std::to_string(index);
  if (!embed::is_tuple(tuple)) return wrong(embed::repr(gil_, tuple, 200) + " is no tuple");
  const std::vector<Object> parts = embed::items(gil_, tuple);
  if (parts.empty() || !embed::is_str(parts[0]))
    return wrong(embed::repr(gil_, tuple, 200) + " does not start with the name of an action");
  action_ = embed::str(gil_, parts[0]);
  const auto found = kActions.find(action_);
  if (found == kActions.end()) return wrong("unknown action " + quoted(action_));
  const auto& [handler, parts_min, parts_max] = found->second;
  if (parts.size() < parts_min || parts.size() > parts_max)
    return wrong(quoted(action_) + " takes " + std::to_string(parts_min - 1) + " arguments, got " +
                 std::to_string(parts.size() - 1));
  try {
    (this->*handler)(parts);
  } catch (const embed::PythonError& error) {
    wrong(std::string("looking at it raised ") + error.what());
  }
}

void TopologyReader::read_name(const std::vector<Object>& parts) {
  plan_.name = embed::str(gil_, parts[1]);
}

void TopologyReader::read_pipeline(const std::vector<Object>& parts) {
  if (!embed::is_str(parts[1]))
    wrong("the pipeline's name is " + embed::repr(gil_, parts[1], 200) + ", it must be a str");
  const std::string name = embed::str(gil_, parts[1]);
  if (open_)
    mistakes_.add("pipeline " + quoted(plan_.pipelines.back().name) +
                  ": it is not closed: add a sink or done() before the next pipeline " +
                  quoted(name));
  place_ = "pipeline " + quoted(name);
  for (const PipelineSpec& other : plan_.pipelines)
    if (other.name == name) wrong("the name is used by two pipelines");
  PipelineSpec& made = plan_.pipelines.emplace_back();
  made.name = name;
  open_ = true;
  if (!parts_.source(gil_, parts[2], place_ + ", source", made.source)) return;
  const auto* tcp = std::get_if<TcpSourceSpec>(&made.source.from);
  if (!tcp || tcp->address.port == 0) return;
  for (const PipelineSpec& other : plan_.pipelines) {
    const auto* theirs = std::get_if<TcpSourceSpec>(&other.source.from);
    if (&other != &made && theirs && theirs->address == tcp->address)
      wrong("its source listens on " + tcp->address.text() + ", as that of pipeline " +
            quoted(other.name) + " does");
  }
}

StepSpec* TopologyReader::open_step(const Object& computation, StepKind kind) {
  const Object object = parts_.instance(gil_, computation, place_ + ", " + action_);
  StepSpec* step = open_step(parts_.step_name(gil_, object, place_ + ", " + action_), kind);
  if (step) parts_.computation(gil_, object, place_, *step);
  return step;
}

StepSpec* TopologyReader::open_step(const std::string& name, StepKind kind) {
  if (!open_) {
    wrong(plan_.pipelines.empty()
              ? "Please declare a new pipeline before adding computation steps. (step " +
                    quoted(name) + ")"
              : "Unable to add a computation step after a sink. Please declare a new pipeline "
                "first. (step " +
                    quoted(name) + " after pipeline " + quoted(plan_.pipelines.back().name) + ")");
    return nullptr;
  }
  PipelineSpec& pipeline = plan_.pipelines.back();
  place_ = "pipeline " + quoted(pipeline.name) + ", step " + quoted(name);
  StepSpec& step = pipeline.steps.emplace_back();
  step.name = name;
  step.kind = kind;
  return &step;
}

void TopologyReader::read_stateless(const std::vector<Object>& parts) {
  open_step(parts[1], StepKind::kStateless);
}

void TopologyReader::read_parallel(const std::vector<Object>& parts) {
  if (StepSpec* step = open_step(parts[1], StepKind::kStateless)) step->parallel = true;
}

std::optional<std::string> TopologyReader::state_name(const Object& name) {
  if (embed::is_str(name)) return embed::str(gil_, name);
  wrong("the state's name is " + embed::repr(gil_, name, 200) + ", it must be a str");
  return std::nullopt;
}

void TopologyReader::read_stateful(const std::vector<Object>& parts) {
  StepSpec* step = open_step(parts[1], StepKind::kStateful);
  if (!step) return;
  const std::optional<std::string> name = state_name(parts[3]);
  StateSpec state;
  if (parts_.state(gil_, parts[2], place_, state) && name)
    step->state = use_state(*name, std::move(state));
}

void TopologyReader::read_keyed(const std::vector<Object>& parts) {
  StepSpec* step = open_step(parts[1], StepKind::kKeyed);
  if (!step) return;
  const bool only_u64 = action_ == "to_state_partition_u64";
  const std::optional<std::string> name = state_name(parts[3]);
  StateSpec state;
  state.keyed = true;
  const bool built = parts_.state(gil_, parts[2], place_, state);
  parts_.partition(gil_, parts[4], place_, *step);
  if (parts.size() > 5) state.keys = read_keys(parts[5], only_u64);
  if (built && name) step->state = use_state(*name, std::move(state));
}

void TopologyReader::read_keyed_u64(const std::vector<Object>& parts) { read_keyed(parts); }

// ("to_window", partition function, tuple of a window step as in a Dataflow, metadata class)
void TopologyReader::read_window(const std::vector<Object>& parts) {
  const std::vector<Object> inner =
      embed::is_tuple(parts[2]) ? embed::items(gil_, parts[2]) : std::vector<Object>();
  const std::string action = inner.empty() ? "" : embed::str(gil_, inner[0]);
  if (inner.size() < 2 || !action.ends_with("_window") || !is_keyed_step(action))
    return wrong("to_window takes the tuple of a window step, got " +
                 embed::repr(gil_, parts[2], 200));
  StepSpec* step = open_step(embed::str(gil_, inner[1]), StepKind::kWindow);
  if (!step) return;
  parts_.partition(gil_, parts[1], place_, *step);
  Mistakes of_step;
  step->window = read_keyed_step(gil_, inner, of_step);
  for (const std::string& text : of_step.texts()) wrong(text);
  if (!embed::is_callable(parts[3]))
    return wrong("the metadata's class can't be called: " + embed::repr(gil_, parts[3], 200));
  step->metadata_class = parts[3].clone(gil_);
}

std::optional<std::vector<Object>> TopologyReader::read_keys(const Object& keys, bool only_u64) {
  if (embed::is_none(keys)) return std::nullopt;
  if (!embed::is_list(keys)) {
    wrong("partition_keys is " + embed::repr(gil_, keys, 200) + ", it must be a list");
    return std::nullopt;
  }
  std::vector<Object> listed = embed::items(gil_, keys);
  if (listed.empty()) return std::nullopt;  // 0.5's default: keys are made on demand
  embed::KeySet seen(gil_);
  for (const Object& key : listed) {
    if (only_u64 && !embed::is_u64(gil_, key)) {
      wrong("partition key " + embed::repr(gil_, key, 200) + " is no int from 0 to 2**64 - 1");
      continue;
    }
    try {
      if (!seen.insert(gil_, key))
        wrong("partition key " + embed::repr(gil_, key, 200) + " is listed twice");
    } catch (const embed::PythonError& error) {
      wrong("partition key " + embed::repr(gil_, key, 200) + " can't be hashed: " + error.what());
    }
  }
  return listed;
}

// As StateBuilder.same_type_as: equal bound methods are one, and builder objects count by their
// class.
bool TopologyReader::same_type(const StateSpec& a, const StateSpec& b) {
  if (embed::is_same(a.identity, b.identity)) return true;
  if (embed::equal(gil_, a.identity, b.identity)) return true;
  const auto class_of = [this](const Object& object) {
    return *embed::find_attribute(gil_, object, "__class__");
  };
  return !embed::is_callable(a.identity) &&
         embed::is_same(class_of(a.identity), class_of(b.identity));
}

bool TopologyReader::same_keys(const StateSpec& a, const StateSpec& b) {
  if (a.keyed != b.keyed || a.keys.has_value() != b.keys.has_value()) return false;
  if (!a.keys) return true;
  if (a.keys->size() != b.keys->size()) return false;
  for (std::size_t i = 0; i < a.keys->size(); ++i)
    if (!embed::equal(gil_, (*a.keys)[i], (*b.keys)[i])) return false;
  return true;
}

StateId TopologyReader::use_state(const std::string& name, StateSpec wanted) {
  for (std::size_t i = 0; i < plan_.states.size(); ++i) {
    const StateSpec& known = plan_.states[i];
    if (known.name != name) continue;
    if (!same_type(known, wanted))
      wrong("state " + quoted(name) + " has already been defined with an different type");
    else if (!same_keys(known, wanted))
      wrong("state " + quoted(name) +
            " has already been defined with a different paritioning scheme");
    return StateId{i};
  }
  wanted.name = name;
  plan_.states.push_back(std::move(wanted));
  return StateId{plan_.states.size() - 1};
}

void TopologyReader::add_sink(const Object& tuple) {
  PipelineSpec& pipeline = plan_.pipelines.back();
  const std::string place =
      "pipeline " + quoted(pipeline.name) + ", sink " + std::to_string(pipeline.sinks.size() + 1);
  parts_.sink(gil_, tuple, place, pipeline.sinks.emplace_back());
}

void TopologyReader::read_sink(const std::vector<Object>& parts) {
  if (!open_)
    return wrong(
        "a sink needs an open pipeline: Please declare a new pipeline before adding a sink.");
  add_sink(parts[1]);
  open_ = false;
}

void TopologyReader::read_sinks(const std::vector<Object>& parts) {
  if (!open_)
    return wrong("sinks need an open pipeline: Please declare a new pipeline before adding sinks.");
  place_ = "pipeline " + quoted(plan_.pipelines.back().name);
  open_ = false;
  if (!embed::is_list(parts[1]) && !embed::is_tuple(parts[1]))
    return wrong("to_sinks takes a list of sink configs, got " + embed::repr(gil_, parts[1], 200));
  const std::vector<Object> sinks = embed::items(gil_, parts[1]);
  if (sinks.empty()) return wrong("to_sinks got an empty list");
  for (const Object& sink : sinks) add_sink(sink);
}

// ("to_router", [(name, predicate, sink), ...], sink or None)
void TopologyReader::read_router(const std::vector<Object>& parts) {
  if (!open_)
    return wrong("a router needs an open pipeline: Please declare a new pipeline before it.");
  PipelineSpec& pipeline = plan_.pipelines.back();
  place_ = "pipeline " + quoted(pipeline.name);
  open_ = false;
  if (!embed::is_list(parts[1]))
    return wrong("to_router takes a list of branches, got " + embed::repr(gil_, parts[1], 200));
  RouterSpec& router = pipeline.router.emplace();
  for (const Object& tuple : embed::items(gil_, parts[1])) {
    const std::vector<Object> branch =
        embed::is_tuple(tuple) ? embed::items(gil_, tuple) : std::vector<Object>();
    if (branch.size() != 3 || !embed::is_str(branch[0])) {
      wrong("a branch is (name, predicate, sink), got " + embed::repr(gil_, tuple, 200));
      continue;
    }
    RouterSpec::Branch& made = router.branches.emplace_back();
    made.name = embed::str(gil_, branch[0]);
    parts_.predicate(gil_, branch[1], place_ + ", branch " + quoted(made.name), made.predicate);
    add_sink(branch[2]);
  }
  if (router.branches.empty()) wrong("to_router got no branches");
  if (!embed::is_none(parts[2])) add_sink(parts[2]);
}

void TopologyReader::read_done(const std::vector<Object>&) {
  if (plan_.pipelines.empty()) wrong("done() without a pipeline");
  open_ = false;
}

}  // namespace

Plan read_topology(const Gil& gil, const Object& topology) {
  if (!embed::is_list(topology))
    throw PlanError({"the topology is " + embed::repr(gil, topology, 200) + ", it must be a list"});
  return TopologyReader(gil).read(topology);
}

}  // namespace machida::plan
