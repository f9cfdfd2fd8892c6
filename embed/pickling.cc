#include "embed/pickling.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <optional>

#include "embed/error.h"
#include "embed/value.h"

namespace machida::embed {
namespace {

constexpr long kProtocol = 5;

Object imported(const Gil& gil, const char* name) {
  return Object::steal(gil, PyImport_ImportModule(name));
}

}  // namespace

Pickling::Pickling(const Gil& gil) {
  const Object pickle = imported(gil, "pickle");
  dumps_ = Object::steal(gil, PyObject_GetAttrString(pickle.get(), "dumps"));
  loads_ = Object::steal(gil, PyObject_GetAttrString(pickle.get(), "loads"));
}

Pickling Pickling::of_application(const Gil& gil, const std::string& module_name) {
  const Object module = imported(gil, module_name.c_str());
  std::optional<Object> dumps = find_attribute(gil, module, "serialize");
  std::optional<Object> loads = find_attribute(gil, module, "deserialize");
  if (!dumps || !loads || !is_callable(*dumps) || !is_callable(*loads)) return Pickling(gil);
  return {std::move(*dumps), std::move(*loads), false};
}

Pickling Pickling::clone(const Gil& gil) const {
  return {dumps_.clone(gil), loads_.clone(gil), with_protocol_};
}

std::string Pickling::dump(const Gil& gil, PyObject* object) const {
  PyObject* bytes = nullptr;
  if (with_protocol_) {
    const Object protocol = Object::steal(gil, PyLong_FromLong(kProtocol));
    PyObject* arguments[] = {object, protocol.get()};
    bytes = PyObject_Vectorcall(dumps_.get(), arguments, 2, nullptr);
  } else {
    bytes = PyObject_CallOneArg(dumps_.get(), object);
  }
  const Object owned = Object::steal(gil, bytes);
  if (!PyBytes_Check(bytes))
    throw wrong_result("serialize() must return bytes, not " + type_name(owned));
  return {PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes))};
}

Object Pickling::load(const Gil& gil, std::string_view bytes) const {
  return call(gil, loads_, make_bytes(gil, bytes));
}

}  // namespace machida::embed
