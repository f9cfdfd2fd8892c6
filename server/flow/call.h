// Calling user code on the data path: vectorcall, no tuple, room for a bound method's self.
// Only for .cc files of this room: it brings CPython's header.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "embed/error.h"
#include "embed/gil.h"
#include "embed/object.h"

namespace machida::flow {

// An owned reference for the length of a scope that holds the lock: embed::Object without the
// question whether it does. Never null.
class Held {
 public:
  // Null means that Python raised: throws PythonError or SystemExit.
  Held(const embed::Gil& gil, PyObject* fresh) : object_(fresh) {
    if (!fresh) embed::throw_pending(gil);
  }
  ~Held() { Py_DECREF(object_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  PyObject* get() const noexcept { return object_; }

 private:
  PyObject* object_;
};

// A new reference, or null with the exception set.
inline PyObject* call_one(const embed::Gil&, PyObject* function, PyObject* argument) {
  PyObject* arguments[] = {nullptr, argument};
  return PyObject_Vectorcall(function, arguments + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
}

inline PyObject* call_two(const embed::Gil&, PyObject* function, PyObject* first,
                          PyObject* second) {
  PyObject* arguments[] = {nullptr, first, second};
  return PyObject_Vectorcall(function, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr);
}

// `held` becomes what was returned; takes over `fresh`.
inline void replace(const embed::Gil& gil, embed::Object& held, PyObject* fresh) {
  PyObject* old = held.release();
  held = embed::Object::steal(gil, fresh);
  Py_XDECREF(old);
}

// `held` becomes empty, without the question whether this thread holds the lock.
inline void drop(const embed::Gil&, embed::Object& held) { Py_XDECREF(held.release()); }

}  // namespace machida::flow
