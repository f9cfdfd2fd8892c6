#include "embed/key_set.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "embed/error.h"

namespace machida::embed {

KeySet::KeySet(const Gil& gil) : set_(Object::steal(gil, PySet_New(nullptr))) {}

bool KeySet::insert(const Gil& gil, const Object& key) {
  const Py_ssize_t before = PySet_GET_SIZE(set_.get());
  if (PySet_Add(set_.get(), key.get()) != 0) throw_pending(gil);
  return PySet_GET_SIZE(set_.get()) != before;
}

bool is_u64(const Gil&, const Object& object) {
  if (!PyLong_CheckExact(object.get())) return false;
  PyLong_AsUnsignedLongLong(object.get());
  const bool fits = !PyErr_Occurred();
  PyErr_Clear();
  return fits;
}

}  // namespace machida::embed
