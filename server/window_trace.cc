#include "server/window_trace.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "embed/error.h"
#include "embed/object.h"
#include "embed/value.h"
#include "server/trace.h"
#include "server/window/windower.h"
#include "server/window_config.h"

namespace machida {
namespace {

using embed::Gil;
using embed::Object;
using namespace window;

Object make_ids(const Gil& gil, std::initializer_list<std::int64_t> numbers) {
  std::vector<Object> objects;
  for (const std::int64_t each : numbers) objects.push_back(embed::make_int(gil, each));
  return embed::make_tuple(gil, embed::make_list(gil, std::move(objects)));
}

std::int64_t number(WindowId id) { return static_cast<std::int64_t>(id); }

Object make_closed(const Gil& gil, const std::vector<ClosedWindow>& closed) {
  std::vector<Object> rows;
  for (const ClosedWindow& one : closed)
    rows.push_back(make_ids(gil, {number(one.id), one.open_us, one.close_us}));
  return embed::make_list(gil, std::move(rows));
}

Object make_merges(const Gil& gil, const std::vector<Merge>& merges) {
  std::vector<Object> rows;
  for (const Merge& merge : merges)
    rows.push_back(make_ids(gil, {number(merge.from), number(merge.into)}));
  return embed::make_list(gil, std::move(rows));
}

Object make_windows(const Gil& gil, const std::vector<WindowId>& windows) {
  std::vector<Object> ids;
  for (const WindowId id : windows) ids.push_back(embed::make_int(gil, number(id)));
  return embed::make_list(gil, std::move(ids));
}

const char* name_of(Placed placed) {
  switch (placed) {
    case Placed::kInWindows:
      return "in";
    case Placed::kLate:
      return "late";
    case Placed::kBetween:
      return "between";
    case Placed::kOutOfRange:
      break;
  }
  return "out of range";
}

class Trace {
 public:
  explicit Trace(Windower windower) : windower_(std::move(windower)) {}

  Object step(const Gil& gil, const Object& event) {
    const std::vector<Object> parts = embed::items(gil, event);
    const std::string kind = parts.empty() ? "" : embed::str(gil, parts[0]);
    const std::size_t size = kind == "item"                          ? 4
                             : kind == "notify" || kind == "restore" ? 3
                             : kind == "eof" || kind == "save"       ? 2
                                                                     : 0;
    if (size == 0 || parts.size() != size)
      throw std::invalid_argument("no event of window_trace: " + embed::repr(gil, event, 200));
    const std::string key = embed::str(gil, parts[1]);
    WindowerState& state = states_[key];
    if (kind == "item")
      return item(gil, state, embed::integer(gil, parts[2]), embed::integer(gil, parts[3]));
    if (kind == "save") return save(gil, state);
    if (kind == "restore") {
      const auto bytes = embed::bytes_view(gil, parts[2].get());
      if (!bytes) throw std::invalid_argument("restore takes bytes");
      state = restored(*bytes);
      return embed::none(gil);
    }
    std::vector<ClosedWindow> closed;
    if (kind == "notify")
      windower_.on_notify(state, embed::integer(gil, parts[2]), closed);
    else
      windower_.on_eof(state, closed);
    const Object due = make_due(gil, state), list = make_closed(gil, closed);
    if (windower_.may_forget(state)) states_.erase(key);
    return Object::steal(gil, PyTuple_Pack(2, list.get(), due.get()));
  }

 private:
  Object item(const Gil& gil, WindowerState& state, Micros item_us, Micros now_us) {
    const Placed placed = windower_.on_item(state, item_us, now_us, outcome_);
    const Object closed = make_closed(gil, outcome_.closed);
    const Object merges = make_merges(gil, outcome_.merges);
    const Object windows = make_windows(gil, outcome_.windows);
    const Object due = make_due(gil, state);
    return Object::steal(
        gil, Py_BuildValue("(sOOOnO)", name_of(placed), closed.get(), merges.get(), windows.get(),
                           static_cast<Py_ssize_t>(outcome_.late_windows), due.get()));
  }

  Object save(const Gil& gil, WindowerState& state) {
    const std::string bytes = to_bytes(state, windower_.windows());
    WindowerState same = restored(bytes);
    if (same != state) throw std::invalid_argument("a restored state differs");
    state = std::move(same);
    return embed::make_bytes(gil, bytes);
  }

  WindowerState restored(std::string_view bytes) const {
    Result<WindowerState> state = from_bytes(bytes, windower_.windows());
    if (!state) throw std::invalid_argument(state.error());
    return *std::move(state);
  }

  Object make_due(const Gil& gil, const WindowerState& state) const {
    const Micros due_us = windower_.next_due(state);
    return due_us == kNever ? embed::none(gil) : embed::make_int(gil, due_us);
  }

  Windower windower_;
  std::map<std::string, WindowerState> states_;
  Outcome outcome_;
};

Object run(const Gil& gil, const Object& config, const Object& events) {
  Trace trace(read_windower(gil, config));
  std::vector<Object> results;
  for (const Object& event : embed::items(gil, events)) results.push_back(trace.step(gil, event));
  return embed::make_list(gil, std::move(results));
}

}  // namespace

PyObject* window_trace(PyObject*, PyObject* args) { return run_trace("window_trace", args, run); }

}  // namespace machida
