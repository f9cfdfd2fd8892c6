// Appends what a computation returned to a batch. Only for .cc files of this room.
#pragma once

#include "embed/gil.h"
#include "server/flow/batch.h"
#include "server/flow/call.h"

namespace machida::flow {

// A single output; None is filtered. Takes over `result`.
inline void push_one(const embed::Gil&, PyObject* result, Batch& out) {
  if (result == Py_None)
    Py_DECREF(result);
  else
    out.push(result);
}

// A list of outputs, each on its own; None items are filtered. Borrows `list`.
inline void push_many(const embed::Gil&, PyObject* list, Batch& out) {
  const Py_ssize_t size = PyList_GET_SIZE(list);
  for (Py_ssize_t i = 0; i < size; ++i) {
    PyObject* item = PyList_GET_ITEM(list, i);
    if (item == Py_None) continue;
    Py_INCREF(item);
    out.push(item);
  }
}

}  // namespace machida::flow
