// The key of a dataflow's item, for keyed steps, partitioned sinks and the way to another worker.
// Only for .cc files that bring CPython's header.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "embed/gil.h"

namespace machida::flow {

// The key of a (key, value) tuple as an exact str: borrowed from the item, or owned by the caller
// as `made`. Null, with a TypeError set: the item has no such key.
inline PyObject* exact_key(const embed::Gil&, PyObject* item, PyObject*& made) {
  if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
    PyErr_Format(PyExc_TypeError,
                 "Dataflow requires a `(key, value)` 2-tuple as input to every stateful operator "
                 "for routing; got `%R` instead",
                 item);
    return nullptr;
  }
  PyObject* key = PyTuple_GET_ITEM(item, 0);
  if (PyUnicode_CheckExact(key)) return key;
  if (PyUnicode_Check(key)) return made = PyUnicode_FromObject(key);
  PyErr_Format(
      PyExc_TypeError,
      "Stateful logic functions must return string or integer keys in `(key, value)`; got `%R` "
      "instead",
      key);
  return nullptr;
}

}  // namespace machida::flow
