#include "server/trace.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string>

#include "embed/error.h"

namespace machida {

using embed::Object;

PyObject* run_trace(const char* name, PyObject* args, TraceBody body) {
  PyObject *config = nullptr, *events = nullptr;
  const std::string format = std::string("O!O!:") + name;
  if (!PyArg_ParseTuple(args, format.c_str(), &PyDict_Type, &config, &PyList_Type, &events))
    return nullptr;
  const embed::HeldGil gil;
  try {
    return body(gil, Object::borrow(gil, config), Object::borrow(gil, events)).release();
  } catch (const embed::PythonError& error) {
    PyErr_SetString(PyExc_ValueError, error.traceback().c_str());
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  }
  return nullptr;
}

}  // namespace machida
