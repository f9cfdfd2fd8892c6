#include "server/flow/map_step.h"

#include "server/flow/call.h"
#include "server/flow/outputs.h"

namespace machida::flow {

void MapStep::run(const embed::Gil& gil, Batch& in, Batch& out) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    PyObject* record = in.at(i);
    PyObject* result = call_one(gil, compute_.get(), record);
    if (result)
      push_one(gil, result, out);
    else
      failed(gil, record);
    Py_DECREF(in.take(i));
  }
}

void FlatMapStep::run(const embed::Gil& gil, Batch& in, Batch& out) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    PyObject* record = in.at(i);
    PyObject* result = call_one(gil, compute_.get(), record);
    if (!result) {
      failed(gil, record);
      continue;
    }
    const Held owned_result(gil, result);
    if (PyList_Check(result))
      push_many(gil, result, out);
    else if (result != Py_None)
      returned_wrongly(gil, record, result, "compute_multi must return a list or None");
    Py_DECREF(in.take(i));
  }
}

}  // namespace machida::flow
