#include "server/flow/batch_step.h"

#include "server/flow/call.h"
#include "server/flow/saved_state.h"

namespace machida::flow {

using embed::Gil;
using embed::Object;

struct BatchStep::Cell final : KeyTable::Cell {
  Object values;  // a list that nobody else has
  std::int64_t due_us = 0;
};

void BatchStep::on_record(const Gil& gil, KeyTable::Cell& base, const Record& record, Batch& out) {
  Cell& cell = static_cast<Cell&>(base);
  const bool first = cell.vacant();
  if (first) {
    cell.values = Object::steal(gil, PyList_New(0));
    cell.due_us = now_us_ + parts_.timeout_us;
    keys_.occupy(cell);
  }
  if (PyList_Append(cell.values.get(), record.value) != 0) embed::throw_pending(gil);
  if (PyList_GET_SIZE(cell.values.get()) >= parts_.max_size || cell.due_us <= now_us_)
    give(gil, cell, out);
  else if (first)
    keys_.set_due(cell, cell.due_us);
}

void BatchStep::on_cell_due(const Gil& gil, KeyTable::Cell& cell, std::int64_t, Batch& out) {
  give(gil, static_cast<Cell&>(cell), out);
}

void BatchStep::on_cell_eof(const Gil& gil, KeyTable::Cell& cell, Batch& out) {
  give(gil, static_cast<Cell&>(cell), out);
}

void BatchStep::give(const Gil& gil, Cell& cell, Batch& out) {
  push(gil, cell.key(), cell.values.release(), out);
  keys_.forget(gil, cell);
}

std::unique_ptr<KeyTable::Cell> BatchStep::make_cell() const { return std::make_unique<Cell>(); }

// (values, when they are due)
Object BatchStep::saved(const Gil& gil, const KeyTable::Cell& base) const {
  const Cell& cell = static_cast<const Cell&>(base);
  return Object::steal(
      gil, Py_BuildValue("(OL)", cell.values.get(), static_cast<long long>(cell.due_us)));
}

void BatchStep::restore(const Gil& gil, KeyTable::Cell& base, const Object& saved) {
  Cell& cell = static_cast<Cell&>(base);
  PyObject* pair = saved.get();
  if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) throw no_state_of("batch", saved);
  PyObject* values = PyTuple_GET_ITEM(pair, 0);
  if (!PyList_Check(values) || !PyLong_Check(PyTuple_GET_ITEM(pair, 1)))
    throw no_state_of("batch", saved);
  const long long due_us = PyLong_AsLongLong(PyTuple_GET_ITEM(pair, 1));
  embed::throw_if_pending(gil);
  cell.values = Object::borrow(gil, values);
  cell.due_us = due_us;
  keys_.set_due(cell, due_us);
}

}  // namespace machida::flow
