#include "embed/object.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <type_traits>

#include "embed/error.h"

namespace machida::embed {

static_assert(std::is_same_v<PyObject, ::_object>);

Object Object::steal(const Gil& gil, _object* fresh) {
  if (!fresh) throw_pending(gil);
  return Object(fresh);
}

Object Object::borrow(const Gil& gil, _object* lent) {
  if (!lent) throw_pending(gil);
  Py_INCREF(lent);
  return Object(lent);
}

Object Object::clone(const Gil&) const {
  Py_XINCREF(object_);
  return Object(object_);
}

void Object::drop() noexcept {
  if (!Py_IsInitialized()) return;  // the interpreter is gone: nothing left to free into
  if (PyGILState_Check()) {
    Py_DECREF(object_);
    return;
  }
  GilLock gil;
  Py_DECREF(object_);
}

}  // namespace machida::embed
