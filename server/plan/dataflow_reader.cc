#include "server/plan/dataflow_reader.h"

#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "embed/error.h"
#include "embed/value.h"
#include "server/plan/keyed_reader.h"
#include "server/plan/mistakes.h"

namespace machida::plan {
namespace {

using embed::Gil;
using embed::Object;
using Kind = OperatorSpec::Kind;

const std::map<std::string_view, Kind> kOperators = {
    {"map", Kind::kMap},
    {"filter", Kind::kFilter},
    {"flat_map", Kind::kFlatMap},
    {"filter_map", Kind::kFilterMap},
    {"inspect", Kind::kInspect},
    {"inspect_epoch", Kind::kInspectEpoch},
    {"inspect_worker", Kind::kInspectWorker},
};

class DataflowReader {
 public:
  explicit DataflowReader(const Gil& gil) : gil_(gil) {}

  Dataflow read(const Object& flow) {
    dataflow_.bare_windows = is_true(attribute(flow, "_bare_window_output"));
    std::size_t index = 0;
    for (const Object& tuple : embed::items(gil_, attribute(flow, "_steps")))
      read_tuple(index++, tuple);
    if (dataflow_.streams.empty()) mistakes_.add("Dataflow needs to contain at least one input");
    if (!has_output_) mistakes_.add("Dataflow needs to contain at least one output");
    if (!mistakes_.empty()) throw PlanError(mistakes_.texts());
    return std::move(dataflow_);
  }

 private:
  void read_tuple(std::size_t index, const Object& tuple) {
    std::vector<Object> parts = embed::items(gil_, tuple);
    if (parts.size() < 2) return mistakes_.add("a step must be a tuple (operator, step id, ...)");
    const std::string action = embed::str(gil_, parts[0]);
    if (embed::is_none(parts[1]))
      parts[1] = embed::make_str(gil_, action + "-" + std::to_string(index));
    const std::string id = embed::str(gil_, parts[1]);
    const std::string place = action + " step '" + id + "': ";
    if (!ids_.insert(id).second) mistakes_.add(place + "the id is used by another step, too");
    if (action == "input") {
      if (parts.size() != 3) return wrong_size(place, parts);
      dataflow_.streams.push_back({id, std::move(parts[2]), {}});
      return;
    }
    std::optional<FlowStep> step = read_step(action, id, place, parts);
    if (!step) return;
    if (dataflow_.streams.empty()) return mistakes_.add(place + "it comes before every input");
    dataflow_.streams.back().steps.push_back(std::move(*step));
  }

  // Nothing: there is a mistake in it.
  std::optional<FlowStep> read_step(const std::string& action, const std::string& id,
                                    const std::string& place, std::vector<Object>& parts) {
    if (is_keyed_step(action)) {
      std::optional<KeyedSpec> keyed = read_keyed_step(gil_, parts, mistakes_);
      if (!keyed) return std::nullopt;
      return FlowStep(std::move(*keyed));
    }
    if (action == "redistribute" && parts.size() == 2) return RedistributeSpec{id};
    if (action == "output" && parts.size() == 3) {
      has_output_ = true;
      return OutputSpec{id, std::move(parts[2])};
    }
    const auto found = kOperators.find(action);
    if (found == kOperators.end() && action != "redistribute" && action != "output") {
      mistakes_.add(place + "there is no such operator");
      return std::nullopt;
    }
    const std::size_t size = found != kOperators.end() && found->second == Kind::kInspectWorker;
    if (found == kOperators.end() || parts.size() != 3 + size) {
      wrong_size(place, parts);
      return std::nullopt;
    }
    if (!embed::is_callable(parts[2])) {
      mistakes_.add(place + "its function is no function, but " + embed::type_name(parts[2]) +
                    ": " + embed::repr(gil_, parts[2], 200));
      return std::nullopt;
    }
    Kind kind = found->second;
    if (kind == Kind::kInspectWorker && is_true(parts[3])) kind = Kind::kInspectItem;
    return OperatorSpec{kind, id, std::move(parts[2])};
  }

  void wrong_size(const std::string& place, const std::vector<Object>& parts) {
    mistakes_.add(place + "a tuple of " + std::to_string(parts.size()) + " parts is no such step");
  }

  bool is_true(const Object& object) const { return embed::integer(gil_, object) != 0; }

  Object attribute(const Object& flow, const char* name) const {
    std::optional<Object> value = embed::find_attribute(gil_, flow, name);
    if (!value)
      throw embed::made_error("TypeError", "a Dataflow is needed, got " + embed::type_name(flow));
    return std::move(*value);
  }

  const Gil& gil_;
  Mistakes mistakes_;
  Dataflow dataflow_;
  std::set<std::string> ids_;
  bool has_output_ = false;
};

}  // namespace

Dataflow read_dataflow(const Gil& gil, const Object& flow) {
  return DataflowReader(gil).read(flow);
}

}  // namespace machida::plan
