#include "server/flow/first_failure.h"

#include "embed/value.h"
#include "server/base/log.h"
#include "server/flow/call.h"
#include "server/flow/user_call.h"

namespace machida::flow {

using embed::Gil;
using embed::Object;

void FirstFailure::add_pending(const Gil& gil, const Place& place, PyObject*) {
  if (PyErr_ExceptionMatches(PyExc_SystemExit)) embed::throw_pending(gil);
  PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  if (trace) PyException_SetTraceback(value, trace);
  Py_XDECREF(type);
  Py_XDECREF(trace);
  keep(gil, place, Object::steal(gil, value));
}

void FirstFailure::add(const Gil& gil, const Place& place, const embed::PythonError& error,
                       PyObject* input) {
  PyObject* type = PyDict_GetItemString(PyEval_GetBuiltins(), error.type().c_str());  // borrowed
  PyErr_SetString(type && PyExceptionClass_Check(type) ? type : PyExc_RuntimeError,
                  error.message().c_str());
  note_user_call(gil, "error", place, nullptr, input == Py_None ? nullptr : input);
  add_pending(gil, place, input);
}

void FirstFailure::keep(const Gil& gil, const Place& place, Object exception) {
  const std::string text = embed::type_name(exception) + ": " + embed::str(gil, exception);
  if (happened()) {
    log::warn("step '{}': after the failure that ends the run: {}", place.step, text);
    return;
  }
  exception_ = std::move(exception);
  throw StopOnError("step '" + place.step + "': " + text);
}

void FirstFailure::raise(const Gil& gil) {
  const Object exception = std::move(exception_);
  PyObject* type = reinterpret_cast<PyObject*>(Py_TYPE(exception.get()));
  PyErr_Restore(Py_NewRef(type), exception.clone(gil).release(),
                PyException_GetTraceback(exception.get()));
}

}  // namespace machida::flow
