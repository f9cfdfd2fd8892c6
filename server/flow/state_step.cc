#include "server/flow/state_step.h"

#include "server/flow/call.h"
#include "server/flow/outputs.h"

namespace machida::flow {

void StateStep::run(const embed::Gil& gil, Batch& in, Batch& out) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    run_one(gil, in.at(i), out);
    Py_DECREF(in.take(i));
  }
}

// Borrowed; null when the record has been dealt with.
PyObject* StateStep::state_of(const embed::Gil& gil, PyObject* record) {
  if (!parts_.partition) return parts_.states.find(gil, Py_None);
  PyObject* key = call_one(gil, parts_.partition.get(), record);
  if (!key) {
    failed(gil, record);
    return nullptr;
  }
  const Held owned_key(gil, key);
  PyObject* state = parts_.states.find(gil, key);
  if (state) return state;
  if (PyErr_Occurred())
    failed(gil, record);
  else
    parts_.unknown_keys.add(gil, key);
  return nullptr;
}

void StateStep::run_one(const embed::Gil& gil, PyObject* record, Batch& out) {
  PyObject* state = state_of(gil, record);
  if (!state) return;
  PyObject* result = call_two(gil, parts_.compute.get(), record, state);
  if (!result) return failed(gil, record);
  const Held owned_result(gil, result);
  if (!PyTuple_Check(result) || PyTuple_GET_SIZE(result) != 2)
    return returned_wrongly(gil, record, result,
                            "a state computation must return a tuple (output, save_state)");
  PyObject* output = PyTuple_GET_ITEM(result, 0);
  if (output == Py_None) return;
  if (parts_.shape == ResultShape::kOne) {
    Py_INCREF(output);
    out.push(output);
  } else if (PyList_Check(output)) {
    push_many(gil, output, out);
  } else {
    returned_wrongly(gil, record, output,
                     "the outputs of a state_computation_multi must be a list or None");
  }
}

}  // namespace machida::flow
