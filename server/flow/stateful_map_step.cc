#include "server/flow/stateful_map_step.h"

#include "server/flow/call.h"

namespace machida::flow {

using embed::Gil;
using embed::Object;

void StatefulMapStep::on_object(const Gil& gil, Cell& cell, const Record& record, Batch& out) {
  if (cell.vacant()) {
    PyObject* fresh = parts_.builder.build(gil, record.key);
    if (!fresh) {
      keys_.forget(gil, cell);
      return failed(gil, record.item, "error calling `stateful_map` builder",
                    parts_.builder.function.get());
    }
    cell.object = Object::steal(gil, fresh);
    keys_.occupy(cell);
  }
  PyObject* result = call_two(gil, parts_.mapper.get(), cell.object.get(), record.value);
  if (!result)
    return failed(gil, record.item, "error calling `stateful_map` mapper", parts_.mapper.get());
  const Held owned_result(gil, result);
  if (!PyTuple_Check(result) || PyTuple_GET_SIZE(result) != 2) {
    PyErr_Format(PyExc_TypeError,
                 "return value of `mapper` in stateful map operator must be a 2-tuple of "
                 "`(updated_state, updated_value)`; got `%R` instead",
                 result);
    return failed(gil, record.item, "error calling `stateful_map` mapper", parts_.mapper.get());
  }
  PyObject* state = PyTuple_GET_ITEM(result, 0);
  PyObject* output = PyTuple_GET_ITEM(result, 1);
  Py_INCREF(output);
  answer(gil, record, output, out);
  if (state == Py_None) {
    cell.object = Object();
    keys_.forget(gil, cell);
  } else if (state != cell.object.get()) {
    Py_INCREF(state);
    replace(gil, cell.object, state);
  }
}

}  // namespace machida::flow
