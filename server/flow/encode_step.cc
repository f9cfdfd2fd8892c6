#include "server/flow/encode_step.h"

#include "embed/value.h"
#include "server/flow/call.h"

namespace machida::flow {
namespace {

[[noreturn]] void refuse(const embed::Gil& gil, const std::string& needed, PyObject* got) {
  const embed::Object object = embed::Object::borrow(gil, got);
  throw embed::wrong_result(needed + ", got " + embed::type_name(object) + ": " +
                            embed::repr(gil, object, 200));
}

constexpr const char* kMessageShapes =
    "an encoder for Kafka must return (value, key), (value, key, partition) or value, with value "
    "bytes or str, key str, bytes or None, partition int or None";

}  // namespace

void EncodeStep::run(const embed::Gil& gil, const Batch& records) {
  std::uint64_t sent = 0;
  for (std::size_t i = 0; i < records.size(); ++i)
    if (encode(gil, records.at(i))) ++sent;
  count(sent);
}

bool EncodeStep::encode(const embed::Gil& gil, PyObject* record) {
  try {
    const Held encoded(gil, call_one(gil, encode_.get(), record));
    if (encoded.get() == Py_None) return false;
    send(gil, encoded.get());
    return true;
  } catch (const embed::PythonError& error) {
    dead_letters_.add(gil, place_, error, record);
    return false;
  }
}

void BytesEncodeStep::send(const embed::Gil& gil, PyObject* encoded) {
  const std::optional<std::string_view> bytes = embed::bytes_view(gil, encoded);
  if (!bytes) refuse(gil, "an encoder must return bytes or str", encoded);
  outlet_.write(*bytes);
}

void MessageEncodeStep::send(const embed::Gil& gil, PyObject* encoded) {
  const bool tuple = PyTuple_Check(encoded);
  const Py_ssize_t size = tuple ? PyTuple_GET_SIZE(encoded) : 1;
  if (tuple && size != 2 && size != 3) refuse(gil, kMessageShapes, encoded);
  PyObject* first = tuple ? PyTuple_GET_ITEM(encoded, 0) : encoded;
  const std::optional<std::string_view> value = embed::bytes_view(gil, first);
  if (!value) refuse(gil, kMessageShapes, encoded);
  std::optional<std::string_view> key;
  if (tuple && PyTuple_GET_ITEM(encoded, 1) != Py_None) {
    key = embed::bytes_view(gil, PyTuple_GET_ITEM(encoded, 1));
    if (!key) refuse(gil, kMessageShapes, encoded);
  }
  std::optional<std::int32_t> partition;
  if (size == 3 && PyTuple_GET_ITEM(encoded, 2) != Py_None) {
    PyObject* number = PyTuple_GET_ITEM(encoded, 2);
    const long wanted = PyLong_Check(number) ? PyLong_AsLong(number) : -1;
    PyErr_Clear();
    if (wanted < 0 || wanted > INT32_MAX) refuse(gil, kMessageShapes, encoded);
    partition = static_cast<std::int32_t>(wanted);
  }
  const std::string why = outlet_.write(*value, key, partition);
  if (!why.empty()) throw embed::made_error("KafkaError", why);
}

}  // namespace machida::flow
