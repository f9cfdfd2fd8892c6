#include "server/flow/decode_step.h"

#include "server/flow/call.h"
#include "server/flow/outputs.h"

namespace machida::flow {
namespace {

// New references, null with an exception set.
PyObject* bytes_or_none(std::optional<std::string_view> bytes) {
  if (!bytes) return Py_NewRef(Py_None);
  return PyBytes_FromStringAndSize(bytes->data(), static_cast<Py_ssize_t>(bytes->size()));
}

PyObject* header_list(const Message& message) {
  PyObject* list = PyList_New(static_cast<Py_ssize_t>(message.headers.size()));
  for (std::size_t i = 0; list && i < message.headers.size(); ++i) {
    const auto& [name, value] = message.headers[i];
    PyObject* key =
        PyUnicode_DecodeUTF8(name.data(), static_cast<Py_ssize_t>(name.size()), "surrogateescape");
    PyObject* bytes = bytes_or_none(value ? std::optional<std::string_view>(*value) : std::nullopt);
    PyObject* pair = Py_BuildValue("(NN)", key, bytes);
    if (!pair) Py_CLEAR(list);
    if (pair) PyList_SET_ITEM(list, static_cast<Py_ssize_t>(i), pair);
  }
  return list;
}

PyObject* message_object(PyObject* message_class, const Message& m) {
  PyObject* timestamp = m.timestamp_ms ? PyLong_FromLongLong(*m.timestamp_ms) : Py_NewRef(Py_None);
  return PyObject_CallFunction(message_class, "s#iLNNN", m.topic.data(),
                               static_cast<Py_ssize_t>(m.topic.size()),
                               static_cast<int>(m.partition), static_cast<long long>(m.offset),
                               timestamp, bytes_or_none(m.key), header_list(m));
}

}  // namespace

void DecodeStep::decode(const embed::Gil& gil, PyObject* bytes, Batch& out) {
  PyObject* record = call_one(gil, decode_.get(), bytes);
  if (record)
    push_one(gil, record, out);
  else
    dead_letters_.add_pending(gil, place_, bytes);
}

void DecodeStep::run_frames(const embed::Gil& gil, std::span<const std::string_view> frames,
                            Batch& out) {
  for (const std::string_view frame : frames) {
    const Held bytes(gil, bytes_or_none(frame));
    decode(gil, bytes.get(), out);
  }
}

void DecodeStep::run_messages(const embed::Gil& gil, std::span<const Message> messages,
                              Batch& out) {
  for (const Message& message : messages) {
    const Held value(gil, bytes_or_none(message.value));
    if (message_class_)
      decode_message(gil, message, value.get(), out);
    else
      decode(gil, value.get(), out);
  }
}

void DecodeStep::decode_message(const embed::Gil& gil, const Message& message, PyObject* value,
                                Batch& out) {
  PyObject* object = message_object(message_class_.get(), message);
  PyObject* record = object ? call_two(gil, decode_.get(), value, object) : nullptr;
  Py_XDECREF(object);
  if (record)
    push_one(gil, record, out);
  else
    dead_letters_.add_pending(gil, place_, value);
}

}  // namespace machida::flow
