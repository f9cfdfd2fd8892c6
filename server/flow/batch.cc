#define PY_SSIZE_T_CLEAN
#include "server/flow/batch.h"

#include <Python.h>

namespace machida::flow {

Batch::~Batch() {
  if (records_.empty() || !Py_IsInitialized()) return;
  const embed::GilLock gil;
  clear(gil);
}

void Batch::clear(const embed::Gil&) noexcept {
  for (PyObject* record : records_) Py_XDECREF(record);
  records_.clear();
  for (PyObject* key : keys_) Py_XDECREF(key);
  keys_.clear();
}

}  // namespace machida::flow
