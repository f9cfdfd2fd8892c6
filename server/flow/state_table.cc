#include "server/flow/state_table.h"

#include "embed/error.h"
#include "server/base/check.h"
#include "server/flow/call.h"

namespace machida::flow {

using embed::Gil;
using embed::Object;

StateTable::StateTable(const Gil& gil, std::string name, Object build, UnlistedKeys unlisted)
    : name_(std::move(name)),
      build_(std::move(build)),
      unlisted_(unlisted),
      index_(Object::steal(gil, PyDict_New())) {}

void StateTable::create(const Gil& gil, const std::vector<Object>& keys) {
  cells_.reserve(cells_.size() + keys.size());
  for (const Object& key : keys)
    if (create_one(gil, key.get()) == kNowhere) embed::throw_pending(gil);
}

std::size_t StateTable::find(const Gil& gil, PyObject* key) {
  PyObject* place = PyDict_GetItemWithError(index_.get(), key);
  if (place) return PyLong_AsSize_t(place);
  if (PyErr_Occurred() || unlisted_ == UnlistedKeys::kUnknown) return kNowhere;
  return create_one(gil, key);
}

std::size_t StateTable::create_one(const Gil& gil, PyObject* key) {
  PyObject* state = PyObject_CallNoArgs(build_.get());
  if (!state) return kNowhere;
  Object owned_state = Object::steal(gil, state);
  const std::size_t place = cells_.size();
  PyObject* number = PyLong_FromSize_t(place);
  const bool added = number && PyDict_SetItem(index_.get(), key, number) == 0;
  Py_XDECREF(number);
  if (!added) return kNowhere;
  cells_.push_back(Cell{Object::borrow(gil, key), std::move(owned_state)});
  return place;
}

void StateTable::end_epoch() {
  MACHIDA_CHECK(to_write_.empty(), "an epoch ended before the one before was written");
  to_write_.swap(changed_);
  ended_epoch_ = epoch_++;
}

bool StateTable::write_some(const Gil& gil, std::size_t states_max) {
  for (; states_max > 0 && !to_write_.empty(); --states_max) {
    Cell& cell = cells_[to_write_.back()];
    to_write_.pop_back();
    if (cell.changed_in == ended_epoch_) write(gil, cell);
  }
  return !to_write_.empty();
}

void StateTable::write(const Gil& gil, Cell& cell) {
  writer_->write(gil, name_, cell.key.get(), cell.state.get());
  cell.changed_in = 0;
}

bool StateTable::restore(const Gil& gil, const Object& key, Object state) {
  PyObject* place = PyDict_GetItemWithError(index_.get(), key.get());
  if (!place) {
    if (PyErr_Occurred()) embed::throw_pending(gil);
    if (unlisted_ == UnlistedKeys::kUnknown) return false;
    const Object number = Object::steal(gil, PyLong_FromSize_t(cells_.size()));
    if (PyDict_SetItem(index_.get(), key.get(), number.get()) != 0) embed::throw_pending(gil);
    cells_.push_back(Cell{key.clone(gil), std::move(state)});
    return true;
  }
  cells_[PyLong_AsSize_t(place)].state = std::move(state);
  return true;
}

Object StateTable::make_fresh(const Gil& gil) const {
  return Object::steal(gil, PyObject_CallNoArgs(build_.get()));
}

Object StateTable::snapshot(const Gil& gil) const {
  Object dict = Object::steal(gil, PyDict_New());
  for (const Cell& cell : cells_)
    if (PyDict_SetItem(dict.get(), cell.key.get(), cell.state.get()) != 0)
      embed::throw_pending(gil);
  return dict;
}

}  // namespace machida::flow
