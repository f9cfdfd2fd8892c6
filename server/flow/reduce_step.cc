#include "server/flow/reduce_step.h"

#include "server/flow/call.h"

namespace machida::flow {

using embed::Gil;
using embed::Object;

struct ReduceStep::Cell final : KeyTable::Cell {
  Object accumulator;
};

void ReduceStep::on_record(const Gil& gil, KeyTable::Cell& base, const Record& record, Batch& out) {
  Cell& cell = static_cast<Cell&>(base);
  if (cell.vacant()) {
    cell.accumulator = Object::borrow(gil, record.value);
    keys_.occupy(cell);
  } else {
    PyObject* next = call_two(gil, parts_.reducer.get(), cell.accumulator.get(), record.value);
    if (!next)
      return failed(gil, record.item, "error calling `reduce` reducer", parts_.reducer.get());
    replace(gil, cell.accumulator, next);
  }
  PyObject* complete = call_one(gil, parts_.is_complete.get(), cell.accumulator.get());
  if (!complete)
    return failed(gil, record.item, "error calling `reduce` is_complete", parts_.is_complete.get());
  const Held owned_complete(gil, complete);
  if (!PyBool_Check(complete)) {
    PyErr_Format(
        PyExc_TypeError,
        "return value of `is_complete` in reduce operator must be a bool; got `%R` instead",
        complete);
    return failed(gil, record.item, "error calling `reduce` is_complete", parts_.is_complete.get());
  }
  if (complete != Py_True) return;
  push(gil, record.key, cell.accumulator.release(), out);
  keys_.forget(gil, cell);
}

std::unique_ptr<KeyTable::Cell> ReduceStep::make_cell() const { return std::make_unique<Cell>(); }

Object ReduceStep::saved(const Gil& gil, const KeyTable::Cell& cell) const {
  return static_cast<const Cell&>(cell).accumulator.clone(gil);
}

void ReduceStep::restore(const Gil& gil, KeyTable::Cell& cell, const Object& saved) {
  static_cast<Cell&>(cell).accumulator = saved.clone(gil);
}

}  // namespace machida::flow
