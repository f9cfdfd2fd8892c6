#include "server/flow/user_call.h"

#include "embed/object.h"
#include "embed/value.h"
#include "server/flow/call.h"

namespace machida::flow {
namespace {

using embed::Gil;
using embed::Object;

constexpr std::size_t kItemBytesMax = 200;

// The attribute, or nothing whatever happens: `function` is the user's.
Object attribute(const Gil& gil, const Object& of, const char* name) {
  PyObject* value = PyObject_GetAttrString(of.get(), name);
  PyErr_Clear();
  return value ? Object::steal(gil, value) : Object();
}

// Behind bound methods and functools.partial.
Object innermost(const Gil& gil, PyObject* function) {
  constexpr int kLayersMax = 16;
  Object inner = Object::borrow(gil, function);
  for (int layer = 0; layer < kLayersMax; ++layer) {
    Object next = attribute(gil, inner, "__func__");
    if (!next) next = attribute(gil, inner, "func");
    if (!next || !PyCallable_Check(next.get())) break;
    inner = std::move(next);
  }
  return inner;
}

}  // namespace

std::string describe_function(const Gil& gil, PyObject* function) {
  const Object inner = innermost(gil, function);
  const Object name = attribute(gil, inner, "__qualname__");
  std::string text =
      name && embed::is_str(name) ? embed::str(gil, name) : embed::repr(gil, inner, kItemBytesMax);
  const Object code = attribute(gil, inner, "__code__");
  if (!code) return text;
  const Object file = attribute(gil, code, "co_filename");
  const Object line = attribute(gil, code, "co_firstlineno");
  if (file && line) text += " (" + embed::str(gil, file) + ":" + embed::str(gil, line) + ")";
  return text;
}

void note_user_call(const Gil& gil, const char* what, const Place& place, PyObject* function,
                    PyObject* input) {
  PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  if (value) {
    const std::string name = function ? " " + describe_function(gil, function) : "";
    std::string note = std::string(what) + name + " in step '" + place.step + "'";
    if (input) note += " on " + embed::repr(gil, Object::borrow(gil, input), kItemBytesMax);
    Py_XDECREF(PyObject_CallMethod(value, "add_note", "s", note.c_str()));
    PyErr_Clear();
  }
  PyErr_Restore(type, value, trace);
}

}  // namespace machida::flow
