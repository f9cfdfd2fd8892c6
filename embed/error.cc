#include "embed/error.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "embed/fork.h"
#include "embed/object.h"
#include "embed/value.h"

namespace machida::embed {
namespace {

std::string format_traceback(const Gil& gil, PyObject* type, PyObject* value, PyObject* trace) {
  std::string lines;
  PyObject* module = PyImport_ImportModule("traceback");
  PyObject* list = module ? PyObject_CallMethod(module, "format_exception", "OOO", type,
                                                value ? value : Py_None, trace ? trace : Py_None)
                          : nullptr;
  if (list)
    for (Py_ssize_t i = 0; i < PyList_Size(list); ++i)
      lines += str(gil, Object::borrow(gil, PyList_GetItem(list, i)));
  Py_XDECREF(list);
  Py_XDECREF(module);
  PyErr_Clear();
  return lines;
}

// Source: "exit" in Python's library reference: None is 0, an int is itself, anything else is
// printed and 1.
[[noreturn]] void throw_system_exit(const Gil& gil, PyObject* value) {
  PyObject* code = value ? PyObject_GetAttrString(value, "code") : nullptr;
  PyErr_Clear();
  int status = 0;
  std::string message;
  if (code && PyLong_Check(code)) {
    status = static_cast<int>(PyLong_AsLong(code));
    PyErr_Clear();
  } else if (code && code != Py_None) {
    status = 1;
    message = str(gil, Object::borrow(gil, code));
  }
  Py_XDECREF(code);
  throw SystemExit(status, message);
}

[[noreturn]] void throw_as_cpp(const Gil& gil) {
  PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  const Object owned_type = type ? Object::steal(gil, type) : Object();
  const Object owned_value = value ? Object::steal(gil, value) : Object();
  const Object owned_trace = trace ? Object::steal(gil, trace) : Object();
  if (!type) throw PythonError("SystemError", "a call failed without setting an exception", "");
  if (trace && value) PyException_SetTraceback(value, trace);
  if (PyErr_GivenExceptionMatches(type, PyExc_SystemExit)) throw_system_exit(gil, value);
  throw PythonError(reinterpret_cast<PyTypeObject*>(type)->tp_name, str(gil, owned_value),
                    format_traceback(gil, type, value, trace));
}

}  // namespace

void throw_pending(const Gil& gil) {
  if (!in_fork_of_server()) throw_as_cpp(gil);
  try {
    throw_as_cpp(gil);
  } catch (const SystemExit& exit) {
    end_fork(gil, exit.what(), exit.status());
  } catch (const PythonError& error) {
    end_fork(gil, error.traceback(), 1);
  }
}

void set_again(const Gil& gil, const SystemExit& exit) {
  const Object code = *exit.what() ? make_str(gil, exit.what()) : make_int(gil, exit.status());
  PyErr_SetObject(PyExc_SystemExit, code.get());
}

void throw_if_pending(const Gil& gil) {
  if (PyErr_Occurred()) throw_pending(gil);
}

PythonError made_error(const std::string& type, const std::string& what) {
  return PythonError(type, what, type + ": " + what + "\n");
}

PythonError wrong_result(const std::string& what) { return made_error("TypeError", what); }

}  // namespace machida::embed
