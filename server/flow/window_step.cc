#include "server/flow/window_step.h"

#include <algorithm>

#include "embed/instants.h"
#include "embed/value.h"
#include "server/flow/call.h"
#include "server/flow/saved_state.h"

namespace machida::flow {

using embed::Gil;
using embed::Object;

struct WindowStep::Cell final : KeyTable::Cell {
  window::WindowerState state;
  std::vector<WindowSlot> slots;  // sorted by id

  std::vector<WindowSlot>::iterator place_of(window::WindowId id) {
    if (!slots.empty() && slots.back().id == id) return slots.end() - 1;  // mostly
    return std::lower_bound(
        slots.begin(), slots.end(), id,
        [](const WindowSlot& slot, window::WindowId id) { return slot.id < id; });
  }
  WindowSlot* find(window::WindowId id) {
    const auto place = place_of(id);
    return place != slots.end() && place->id == id ? &*place : nullptr;
  }
  WindowSlot& find_or_add(window::WindowId id) {
    auto place = place_of(id);
    if (place == slots.end() || place->id != id)
      place = slots.insert(place, WindowSlot{id, {}, {}});
    return *place;
  }
};

WindowStep::WindowStep(Place place, DeadLetters& dead_letters, Parts parts,
                       metrics::Registry& metrics)
    : KeyedStep(std::move(place), dead_letters),
      parts_(std::move(parts)),
      metadata_(std::move(parts_.metadata_class)),
      late_(this->place(), metrics) {}

// False: the record has been dealt with.
bool WindowStep::find_time(const Gil& gil, const Record& record, window::Micros& time_us) {
  if (!parts_.dt_getter) {
    time_us = now_us_;
    return true;
  }
  PyObject* getter = parts_.dt_getter.get();
  PyObject* datetime = call_one(gil, getter, record.value);
  if (datetime) {
    const Held owned_datetime(gil, datetime);
    const std::optional<std::int64_t> us = embed::datetime_micros(gil, datetime);
    if (us) {
      time_us = *us;
      return true;
    }
    if (!PyErr_Occurred())
      PyErr_Format(PyExc_TypeError,
                   "return value of `dt_getter` must be a datetime with tzinfo "
                   "datetime.timezone.utc; got `%R` instead",
                   datetime);
  }
  failed(gil, record.item, "error calling `dt_getter`", getter);
  return false;
}

void WindowStep::on_record(const Gil& gil, KeyTable::Cell& base, const Record& record, Batch& out) {
  Cell& cell = static_cast<Cell&>(base);
  window::Micros time_us = 0;
  if (!find_time(gil, record, time_us)) {
    if (cell.vacant()) keys_.forget(gil, cell);
    return;
  }
  keys_.occupy(cell);
  parts_.windower.on_item(cell.state, time_us, now_us_, outcome_);
  if (!parts_.dt_getter) time_us = cell.state.watermark.value_us;
  if (!outcome_.closed.empty()) give(gil, cell, outcome_.closed, out);
  if (!outcome_.merges.empty()) merge(gil, cell, record);
  for (const window::WindowId id : outcome_.windows) {
    const UserFailure failure =
        parts_.logic->add(gil, cell.find_or_add(id), record.key, record.value, time_us);
    if (failure) failed(gil, record.item, failure.what, failure.function);
  }
  if (outcome_.late_windows > 0) late_.add(gil, record.key, time_us, cell.state.watermark.value_us);
  settle(gil, cell);
}

void WindowStep::merge(const Gil& gil, Cell& cell, const Record& record) {
  for (const window::Merge& merge : outcome_.merges) {
    WindowSlot* from = cell.find(merge.from);
    if (!from) continue;
    WindowSlot moved = std::move(*from);
    cell.slots.erase(cell.slots.begin() + (from - cell.slots.data()));
    WindowSlot& into = cell.find_or_add(merge.into);
    if (!moved.held) continue;
    if (!into.held) {
      into.held = std::move(moved.held);
      into.times = std::move(moved.times);
      continue;
    }
    const UserFailure failure = parts_.logic->merge(gil, into, moved);
    if (failure) failed(gil, record.item, failure.what, failure.function);
  }
}

void WindowStep::on_cell_due(const Gil& gil, KeyTable::Cell& base, std::int64_t now_us,
                             Batch& out) {
  Cell& cell = static_cast<Cell&>(base);
  closed_.clear();
  parts_.windower.on_notify(cell.state, now_us, closed_);
  give(gil, cell, closed_, out);
  settle(gil, cell);
}

void WindowStep::on_cell_eof(const Gil& gil, KeyTable::Cell& base, Batch& out) {
  Cell& cell = static_cast<Cell&>(base);
  closed_.clear();
  parts_.windower.on_eof(cell.state, closed_);
  give(gil, cell, closed_, out);
  settle(gil, cell);
}

void WindowStep::give(const Gil& gil, Cell& cell, const std::vector<window::ClosedWindow>& closed,
                      Batch& out) {
  for (const window::ClosedWindow& window : closed) {
    WindowSlot* slot = cell.find(window.id);
    if (!slot || !slot->held) continue;  // every item of it failed
    Object output;
    const UserFailure failure = parts_.logic->finish(gil, *slot, cell.key(), output);
    slot->held = Object();
    if (failure) {
      PyObject* value = failure.value ? failure.value.get() : Py_None;
      const Object item = Object::steal(gil, PyTuple_Pack(2, cell.key(), value));
      failed(gil, item.get(), failure.what, failure.function);
    } else if (metadata_) {
      push(gil, cell.key(), PyTuple_Pack(2, metadata_.of(gil, window), output.get()), out);
    } else {
      push(gil, cell.key(), output.release(), out);
    }
  }
  std::erase_if(cell.slots, [](const WindowSlot& slot) { return !slot.held; });
}

// After everything that changes the cell's windows.
void WindowStep::settle(const Gil& gil, Cell& cell) {
  if (parts_.windower.may_forget(cell.state)) {
    cell.state = {};
    cell.slots.clear();
    return keys_.forget(gil, cell);
  }
  const window::Micros due_us = parts_.windower.next_due(cell.state);
  if (due_us == window::kNever)
    keys_.clear_due(cell);
  else
    keys_.set_due(cell, due_us);
}

std::unique_ptr<KeyTable::Cell> WindowStep::make_cell() const { return std::make_unique<Cell>(); }

// (the windower's state, [(window's id, what it holds, [time of each value])])
Object WindowStep::saved(const Gil& gil, const KeyTable::Cell& base) const {
  const Cell& cell = static_cast<const Cell&>(base);
  std::vector<Object> slots;
  for (const WindowSlot& slot : cell.slots) {
    if (!slot.held) continue;
    std::vector<Object> times;
    for (const window::Micros time_us : slot.times) times.push_back(embed::make_int(gil, time_us));
    slots.push_back(
        Object::steal(gil, Py_BuildValue("(LON)", static_cast<long long>(slot.id), slot.held.get(),
                                         embed::make_list(gil, std::move(times)).release())));
  }
  const Object bytes =
      embed::make_bytes(gil, window::to_bytes(cell.state, parts_.windower.windows()));
  const Object list = embed::make_list(gil, std::move(slots));
  return Object::steal(gil, PyTuple_Pack(2, bytes.get(), list.get()));
}

void WindowStep::restore(const Gil& gil, KeyTable::Cell& base, const Object& saved) {
  Cell& cell = static_cast<Cell&>(base);
  PyObject* pair = saved.get();
  if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) throw no_state_of("window", saved);
  PyObject *bytes = PyTuple_GET_ITEM(pair, 0), *slots = PyTuple_GET_ITEM(pair, 1);
  if (!PyBytes_Check(bytes) || !PyList_Check(slots)) throw no_state_of("window", saved);
  Result<window::WindowerState> state = window::from_bytes(
      {PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes))},
      parts_.windower.windows());
  if (!state)
    throw embed::made_error("ValueError", "step '" + place().step + "': " + state.error());
  cell.state = *std::move(state);
  for (const Object& each : embed::items(gil, Object::borrow(gil, slots))) {
    long long id = 0;
    PyObject *held = nullptr, *times = nullptr;
    if (!PyTuple_Check(each.get())) throw no_state_of("window", each);
    if (!PyArg_ParseTuple(each.get(), "LOO!:window", &id, &held, &PyList_Type, &times))
      embed::throw_pending(gil);
    WindowSlot& slot = cell.find_or_add(window::WindowId{id});
    slot.held = Object::borrow(gil, held);
    for (const Object& time : embed::items(gil, Object::borrow(gil, times)))
      slot.times.push_back(embed::integer(gil, time));
  }
  const window::Micros due_us = parts_.windower.next_due(cell.state);
  if (due_us != window::kNever) keys_.set_due(cell, due_us);
}

}  // namespace machida::flow
