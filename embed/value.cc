#include "embed/value.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "embed/error.h"

namespace machida::embed {
namespace {

std::string utf8_or_placeholder(PyObject* owned_text) {
  std::string out = "<unprintable>";
  if (owned_text) {
    PyObject* bytes = PyUnicode_AsEncodedString(owned_text, "utf-8", "backslashreplace");
    if (bytes)
      out.assign(PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes)));
    Py_XDECREF(bytes);
    Py_DECREF(owned_text);
  }
  PyErr_Clear();
  return out;
}

}  // namespace

bool is_none(const Object& object) { return object.get() == Py_None; }
bool is_str(const Object& object) { return PyUnicode_Check(object.get()); }
bool is_bytes(const Object& object) { return PyBytes_Check(object.get()); }
bool is_list(const Object& object) { return PyList_Check(object.get()); }
bool is_tuple(const Object& object) { return PyTuple_Check(object.get()); }
bool is_class(const Object& object) { return PyType_Check(object.get()); }
bool is_callable(const Object& object) { return PyCallable_Check(object.get()) != 0; }
bool is_same(const Object& a, const Object& b) { return a.get() == b.get(); }
bool is_exactly_str(const Object& object) { return PyUnicode_CheckExact(object.get()); }
bool is_exactly_bytes(const Object& object) { return PyBytes_CheckExact(object.get()); }
bool is_exactly_int(const Object& object) { return PyLong_CheckExact(object.get()); }

std::optional<std::int64_t> small_integer(const Object& object) {
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(object.get(), &overflow);
  if (overflow != 0) return std::nullopt;
  return value;
}

std::string type_name(const Object& object) { return Py_TYPE(object.get())->tp_name; }

std::string str(const Gil&, const Object& object) {
  return utf8_or_placeholder(PyObject_Str(object.get()));
}

std::string repr(const Gil&, const Object& object, std::size_t bytes_max) {
  std::string out = utf8_or_placeholder(PyObject_Repr(object.get()));
  if (out.size() > bytes_max) {
    while (bytes_max > 0 && (static_cast<unsigned char>(out[bytes_max]) & 0xC0) == 0x80)
      --bytes_max;
    out.resize(bytes_max);
    out += "…";
  }
  return out;
}

std::int64_t integer(const Gil& gil, const Object& object) {
  const Object index = Object::steal(gil, PyNumber_Index(object.get()));
  const std::int64_t value = PyLong_AsLongLong(index.get());
  if (value == -1 && PyErr_Occurred()) throw_pending(gil);
  return value;
}

std::vector<Object> items(const Gil& gil, const Object& sequence) {
  const Object fast = Object::steal(gil, PySequence_Fast(sequence.get(), "not a list or tuple"));
  std::vector<Object> out;
  const Py_ssize_t size = PySequence_Fast_GET_SIZE(fast.get());
  out.reserve(static_cast<std::size_t>(size));
  for (Py_ssize_t i = 0; i < size; ++i)
    out.push_back(Object::borrow(gil, PySequence_Fast_GET_ITEM(fast.get(), i)));
  return out;
}

std::vector<std::pair<Object, Object>> dict_items(const Gil& gil, const Object& mapping) {
  const Object pairs = Object::steal(gil, PyMapping_Items(mapping.get()));
  std::vector<std::pair<Object, Object>> out;
  for (const Object& pair : items(gil, pairs)) {
    std::vector<Object> parts = items(gil, pair);
    out.emplace_back(std::move(parts[0]), std::move(parts[1]));
  }
  return out;
}

std::optional<Object> find_attribute(const Gil& gil, const Object& object, const char* name) {
  PyObject* found = PyObject_GetAttrString(object.get(), name);
  if (found) return Object::steal(gil, found);
  if (!PyErr_ExceptionMatches(PyExc_AttributeError)) throw_pending(gil);
  PyErr_Clear();
  return std::nullopt;
}

Object imported(const Gil& gil, const char* module, const char* attribute) {
  const Object held = Object::steal(gil, PyImport_ImportModule(module));
  return Object::steal(gil, PyObject_GetAttrString(held.get(), attribute));
}

Object none(const Gil& gil) { return Object::borrow(gil, Py_None); }

Object make_str(const Gil& gil, std::string_view value) {
  return Object::steal(
      gil,
      PyUnicode_DecodeUTF8(value.data(), static_cast<Py_ssize_t>(value.size()), "surrogateescape"));
}

Object make_bytes(const Gil& gil, std::string_view value) {
  return Object::steal(
      gil, PyBytes_FromStringAndSize(value.data(), static_cast<Py_ssize_t>(value.size())));
}

Object make_int(const Gil& gil, std::int64_t value) {
  return Object::steal(gil, PyLong_FromLongLong(value));
}

Object make_list(const Gil& gil, std::vector<Object> elements) {
  Object list = Object::steal(gil, PyList_New(static_cast<Py_ssize_t>(elements.size())));
  for (std::size_t i = 0; i < elements.size(); ++i)
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), elements[i].release());
  return list;
}

Object make_tuple(const Gil& gil, const Object& list) {
  return Object::steal(gil, PyList_AsTuple(list.get()));
}

Object call(const Gil& gil, const Object& function) {
  return Object::steal(gil, PyObject_CallNoArgs(function.get()));
}

Object call(const Gil& gil, const Object& function, const Object& argument) {
  return Object::steal(gil, PyObject_CallOneArg(function.get(), argument.get()));
}

Object call(const Gil& gil, const Object& function, const Object& first, const Object& second) {
  PyObject* arguments[] = {first.get(), second.get()};
  return Object::steal(gil, PyObject_Vectorcall(function.get(), arguments, 2, nullptr));
}

std::optional<std::string_view> utf8_or_bytes(const Gil& gil, const Object& object) {
  try {
    return bytes_view(gil, object.get());
  } catch (const PythonError&) {
    return std::nullopt;  // lone surrogates
  }
}

std::optional<std::string_view> bytes_view(const Gil& gil, _object* object) {
  if (PyBytes_Check(object))
    return std::string_view(PyBytes_AS_STRING(object),
                            static_cast<std::size_t>(PyBytes_GET_SIZE(object)));
  if (PyUnicode_Check(object)) {
    Py_ssize_t size = 0;
    const char* data = PyUnicode_AsUTF8AndSize(object, &size);
    if (!data) throw_pending(gil);
    return std::string_view(data, static_cast<std::size_t>(size));
  }
  if (PyByteArray_Check(object))
    return std::string_view(PyByteArray_AS_STRING(object),
                            static_cast<std::size_t>(PyByteArray_GET_SIZE(object)));
  return std::nullopt;
}

bool equal(const Gil& gil, const Object& a, const Object& b) {
  const int result = PyObject_RichCompareBool(a.get(), b.get(), Py_EQ);
  if (result < 0) throw_pending(gil);
  return result == 1;
}

}  // namespace machida::embed
