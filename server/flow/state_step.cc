#include "server/flow/state_step.h"

#include "server/flow/call.h"
#include "server/flow/outputs.h"

namespace machida::flow {

void StateStep::run(const embed::Gil& gil, Batch& in, Batch& out) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    run_one(gil, in.at(i), in.key_at(i), out);
    Py_DECREF(in.take(i));
  }
}

// Where the record's state is; kNowhere when the record has been dealt with.
std::size_t StateStep::place_of(const embed::Gil& gil, PyObject* record, PyObject* known_key) {
  if (!parts_.partition) return parts_.states.find(gil, Py_None);
  if (known_key) return place_of_key(gil, record, known_key);
  PyObject* key = call_one(gil, parts_.partition.get(), record);
  if (!key) {
    failed(gil, record);
    return StateTable::kNowhere;
  }
  const Held owned_key(gil, key);
  return place_of_key(gil, record, key);
}

std::size_t StateStep::place_of_key(const embed::Gil& gil, PyObject* record, PyObject* key) {
  const std::size_t place = parts_.states.find(gil, key);
  if (place != StateTable::kNowhere) return place;
  if (PyErr_Occurred())
    failed(gil, record);
  else
    parts_.unknown_keys.add(gil, key);
  return place;
}

void StateStep::run_one(const embed::Gil& gil, PyObject* record, PyObject* key, Batch& out) {
  const std::size_t place = place_of(gil, record, key);
  if (place == StateTable::kNowhere) return;
  PyObject* state = parts_.states.use(gil, place);
  PyObject* result = call_two(gil, parts_.compute.get(), record, state);
  if (!result) return failed(gil, record);
  const Held owned_result(gil, result);
  if (!PyTuple_Check(result) || PyTuple_GET_SIZE(result) != 2)
    return returned_wrongly(gil, record, result,
                            "a state computation must return a tuple (output, save_state)");
  PyObject* save = PyTuple_GET_ITEM(result, 1);
  const int truth = save == Py_True ? 1 : PyObject_IsTrue(save);
  if (truth < 0) return failed(gil, record);
  if (truth == 1) parts_.states.changed(place);
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
