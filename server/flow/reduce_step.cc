#include "server/flow/reduce_step.h"

#include "server/flow/call.h"

namespace machida::flow {

using embed::Gil;
using embed::Object;

void ReduceStep::on_object(const Gil& gil, Cell& cell, const Record& record, Batch& out) {
  if (cell.vacant()) {
    cell.object = Object::borrow(gil, record.value);
    keys_.occupy(cell);
  } else {
    PyObject* next = call_two(gil, parts_.reducer.get(), cell.object.get(), record.value);
    if (!next)
      return failed(gil, record.item, "error calling `reduce` reducer", parts_.reducer.get());
    replace(gil, cell.object, next);
  }
  PyObject* complete = call_one(gil, parts_.is_complete.get(), cell.object.get());
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
  push(gil, record.key, cell.object.release(), out);
  keys_.forget(gil, cell);
}

}  // namespace machida::flow
