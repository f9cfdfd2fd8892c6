#include "server/flow/state_table.h"

#include "embed/error.h"
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
    if (!create_one(gil, key.get())) embed::throw_pending(gil);
}

PyObject* StateTable::find(const Gil& gil, PyObject* key) {
  PyObject* position = PyDict_GetItemWithError(index_.get(), key);
  if (position) return cells_[PyLong_AsSize_t(position)].state.get();
  if (PyErr_Occurred() || unlisted_ == UnlistedKeys::kUnknown) return nullptr;
  return create_one(gil, key);
}

PyObject* StateTable::create_one(const Gil& gil, PyObject* key) {
  PyObject* state = PyObject_CallNoArgs(build_.get());
  if (!state) return nullptr;
  Object owned_state = Object::steal(gil, state);
  PyObject* position = PyLong_FromSize_t(cells_.size());
  const bool added = position && PyDict_SetItem(index_.get(), key, position) == 0;
  Py_XDECREF(position);
  if (!added) return nullptr;
  cells_.push_back(Cell{Object::borrow(gil, key), std::move(owned_state)});
  return state;
}

Object StateTable::snapshot(const Gil& gil) const {
  Object dict = Object::steal(gil, PyDict_New());
  for (const Cell& cell : cells_)
    if (PyDict_SetItem(dict.get(), cell.key.get(), cell.state.get()) != 0)
      embed::throw_pending(gil);
  return dict;
}

}  // namespace machida::flow
