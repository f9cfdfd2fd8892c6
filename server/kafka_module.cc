#include "server/kafka_module.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "embed/error.h"
#include "embed/object.h"
#include "embed/value.h"
#include "server/kafka/reader.h"
#include "server/kafka/writer.h"

namespace machida {
namespace {

using embed::Gil;
using embed::Object;

constexpr int kWaitSliceMs = 100;  // after which a signal is looked for

// Exceptions do not cross into C: they become Python's, and `failed` is returned.
template <class Body, class Result>
Result guarded(Result failed, Body&& body) {
  const embed::HeldGil gil;
  try {
    return body(gil);
  } catch (const embed::PythonError& error) {
    PyErr_SetString(PyExc_TypeError, error.message().c_str());
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return failed;
}

kafka::Properties properties_of(const Gil& gil, PyObject* dict) {
  kafka::Properties properties;
  for (const auto& [name, value] : embed::dict_items(gil, Object::borrow(gil, dict)))
    properties[embed::str(gil, name)] = embed::str(gil, value);
  return properties;
}

template <class T>
struct Holder {
  PyObject_HEAD T* held;  // null: closed
};

template <class T>
Holder<T>* holder(PyObject* self) {
  return reinterpret_cast<Holder<T>*>(self);
}

// Ends the client, which waits for its threads.
template <class T>
PyObject* close_held(PyObject* self, PyObject*) {
  std::unique_ptr<T> ending(std::exchange(holder<T>(self)->held, nullptr));
  if (ending) {
    const embed::GilRelease released;
    ending.reset();
  }
  Py_RETURN_NONE;
}

template <class T>
void dealloc(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  Py_XDECREF(close_held<T>(self, nullptr));
  type->tp_free(self);
  Py_DECREF(type);
}

template <class T>
T* opened(PyObject* self) {
  if (!holder<T>(self)->held) PyErr_SetString(PyExc_ValueError, "the Kafka client is closed");
  return holder<T>(self)->held;
}

template <class T>
PyObject* hold(PyTypeObject* type, std::unique_ptr<T> made) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self) holder<T>(self)->held = made.release();
  return self;
}

PyObject* new_reader(PyTypeObject* type, PyObject* args, PyObject*) {
  PyObject* dict = nullptr;
  const char* topic = nullptr;
  int partition = 0;
  long long offset = 0;
  double timeout_s = 0;
  if (!PyArg_ParseTuple(args, "O!siLd:KafkaReader", &PyDict_Type, &dict, &topic, &partition,
                        &offset, &timeout_s))
    return nullptr;
  return guarded(static_cast<PyObject*>(nullptr), [&](const Gil& gil) {
    const kafka::Properties properties = properties_of(gil, dict);
    std::unique_ptr<kafka::Reader> reader;
    {
      const embed::GilRelease released;
      reader = std::make_unique<kafka::Reader>(properties, topic, partition, offset,
                                               static_cast<int>(timeout_s * 1000));
    }
    return hold(type, std::move(reader));
  });
}

Object bytes_or_none(const Gil& gil, const std::optional<std::string_view>& bytes) {
  return bytes ? embed::make_bytes(gil, *bytes) : embed::none(gil);
}

Object header_list(const Gil& gil, const kafka::MessageBatch& batch, std::size_t i) {
  std::vector<Object> headers;
  for (const auto& [name, value] : batch.headers(i)) {
    const Object text = Object::steal(
        gil,
        PyUnicode_DecodeUTF8(name.data(), static_cast<Py_ssize_t>(name.size()), "surrogateescape"));
    const Object bytes =
        bytes_or_none(gil, value ? std::optional<std::string_view>(*value) : std::nullopt);
    headers.push_back(Object::steal(gil, PyTuple_Pack(2, text.get(), bytes.get())));
  }
  return embed::make_list(gil, std::move(headers));
}

// What the caller's function makes of a message beside its value.
Object described(const Gil& gil, const kafka::MessageBatch& batch, std::size_t i,
                 PyObject* describe) {
  const std::optional<std::int64_t> timestamp_ms = batch.timestamp_ms(i);
  const Object timestamp = timestamp_ms ? embed::make_int(gil, *timestamp_ms) : embed::none(gil);
  const Object offset = embed::make_int(gil, batch.offset(i));
  const Object key = bytes_or_none(gil, batch.key(i));
  const Object headers = header_list(gil, batch, i);
  return Object::steal(gil, PyObject_CallFunctionObjArgs(describe, offset.get(), timestamp.get(),
                                                         key.get(), headers.get(), nullptr));
}

// (items, next offset, ended)
Object taken(const Gil& gil, const kafka::MessageBatch& batch, std::int64_t next,
             PyObject* describe) {
  std::vector<Object> items;
  items.reserve(batch.size());
  bool ended = false;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (batch.is_end(i)) {
      ended = true;
    } else if (const std::string error = batch.error(i); !error.empty()) {
      if (!batch.is_passing(i)) throw kafka::KafkaError(error);
    } else {
      const Object key = describe == Py_None ? bytes_or_none(gil, batch.key(i))
                                             : described(gil, batch, i, describe);
      const Object value = bytes_or_none(gil, batch.value(i));
      items.push_back(Object::steal(gil, PyTuple_Pack(2, key.get(), value.get())));
      next = batch.offset(i) + 1;
    }
  }
  const Object list = embed::make_list(gil, std::move(items));
  return Object::steal(gil, Py_BuildValue("(OLO)", list.get(), static_cast<long long>(next),
                                          ended ? Py_True : Py_False));
}

PyObject* reader_take(PyObject* self, PyObject* args) {
  long long next = 0;
  Py_ssize_t messages_max = 0;
  PyObject* describe = Py_None;
  if (!PyArg_ParseTuple(args, "Ln|O:take", &next, &messages_max, &describe)) return nullptr;
  kafka::Reader* reader = opened<kafka::Reader>(self);
  if (!reader) return nullptr;
  return guarded(static_cast<PyObject*>(nullptr), [&](const Gil& gil) {
    kafka::MessageBatch batch;
    reader->take(batch, static_cast<std::size_t>(std::max<Py_ssize_t>(messages_max, 1)));
    return taken(gil, batch, next, describe).release();
  });
}

PyObject* reader_start(PyObject* self, PyObject*) {
  const kafka::Reader* reader = opened<kafka::Reader>(self);
  return reader ? PyLong_FromLongLong(reader->start()) : nullptr;
}

PyObject* new_writer(PyTypeObject* type, PyObject* args, PyObject*) {
  PyObject* dict = nullptr;
  const char* topic = nullptr;
  if (!PyArg_ParseTuple(args, "O!s:KafkaWriter", &PyDict_Type, &dict, &topic)) return nullptr;
  return guarded(static_cast<PyObject*>(nullptr), [&](const Gil& gil) {
    return hold(type, std::make_unique<kafka::Writer>(properties_of(gil, dict), topic));
  });
}

// Waits a while with the lock given up; false with a Python error set when a signal raised.
bool wait_a_while(kafka::Writer& writer, bool& all_delivered) {
  {
    const embed::GilRelease released;
    all_delivered = writer.wait_for(kWaitSliceMs);
  }
  return PyErr_CheckSignals() == 0;
}

std::optional<std::string_view> content(const Gil& gil, PyObject* part, const char* what) {
  if (part == Py_None) return std::nullopt;
  const std::optional<std::string_view> bytes = embed::bytes_view(gil, part);
  if (!bytes)
    throw embed::wrong_result(std::string("the ") + what +
                              " of a Kafka message must be bytes, str or None; got " +
                              embed::repr(gil, Object::borrow(gil, part), 200));
  return bytes;
}

// (key, value), or (key, value, partition) if the partition is asked for.
enum class Partitions { kByKey, kGiven };

bool send(const Gil& gil, kafka::Writer& writer, const Object& item, Partitions partitions) {
  const Py_ssize_t parts = partitions == Partitions::kGiven ? 3 : 2;
  if (!PyTuple_Check(item.get()) || PyTuple_GET_SIZE(item.get()) != parts)
    throw embed::wrong_result("a Kafka sink takes `(key, value)` 2-tuples; got " +
                              embed::repr(gil, item, 200));
  std::optional<std::int32_t> partition;
  if (parts == 3 && PyTuple_GET_ITEM(item.get(), 2) != Py_None)
    partition = static_cast<std::int32_t>(
        embed::integer(gil, Object::borrow(gil, PyTuple_GET_ITEM(item.get(), 2))));
  const auto key = content(gil, PyTuple_GET_ITEM(item.get(), 0), "key");
  const auto value = content(gil, PyTuple_GET_ITEM(item.get(), 1), "value");
  for (bool all = false; !writer.send(key, value, partition);)
    if (!wait_a_while(writer, all)) return false;
  return true;
}

template <Partitions partitions>
PyObject* writer_write(PyObject* self, PyObject* list) {
  kafka::Writer* writer = opened<kafka::Writer>(self);
  if (!writer) return nullptr;
  return guarded(static_cast<PyObject*>(nullptr), [&](const Gil& gil) -> PyObject* {
    for (const Object& item : embed::items(gil, Object::borrow(gil, list)))
      if (!send(gil, *writer, item, partitions)) return nullptr;
    for (bool all = false; !all;)
      if (!wait_a_while(*writer, all)) return nullptr;
    Py_RETURN_NONE;
  });
}

PyMethodDef kReaderMethods[] = {
    {"take", reader_take, METH_VARARGS,
     "take(next_offset: int, messages_max: int, describe=None)\n"
     "  -> (list[(key, value)], next_offset, ended)\n\n"
     "What has arrived, without waiting; in place of the key, if it is not None, what\n"
     "describe(offset, timestamp_ms, key, headers) returns. Raises RuntimeError for an error of\n"
     "the brokers."},
    {"start", reader_start, METH_NOARGS, "start() -> int\n\nThe offset of the first message."},
    {"close", close_held<kafka::Reader>, METH_NOARGS, "close() -> None\n\nEnds the client."},
    {nullptr, nullptr, 0, nullptr}};

PyMethodDef kWriterMethods[] = {
    {"write", writer_write<Partitions::kByKey>, METH_O,
     "write(items: list[(key, value)]) -> None\n\n"
     "Sends messages and waits until the brokers have them. key, value: bytes, str or None.\n"
     "Raises TypeError for other items, RuntimeError when a message was refused."},
    {"write_to", writer_write<Partitions::kGiven>, METH_O,
     "write_to(items: list[(key, value, partition)]) -> None\n\n"
     "The same into given partitions, ints; None: the key's."},
    {"close", close_held<kafka::Writer>, METH_NOARGS, "close() -> None\n\nEnds the client."},
    {nullptr, nullptr, 0, nullptr}};

template <class T>
int add_type(PyObject* module, const char* name, newfunc make, PyMethodDef* methods,
             const char* doc) {
  PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(make)},
                         {Py_tp_dealloc, reinterpret_cast<void*>(dealloc<T>)},
                         {Py_tp_methods, methods},
                         {Py_tp_doc, const_cast<char*>(doc)},
                         {0, nullptr}};
  PyType_Spec spec{name, sizeof(Holder<T>), 0, Py_TPFLAGS_DEFAULT, slots};
  PyObject* type = PyType_FromModuleAndSpec(module, &spec, nullptr);
  if (!type) return -1;
  const int added = PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type));
  Py_DECREF(type);
  return added;
}

}  // namespace

PyObject* kafka_partitions(PyObject*, PyObject* args) {
  PyObject* dict = nullptr;
  const char* topic = nullptr;
  double timeout_s = 0;
  if (!PyArg_ParseTuple(args, "O!sd:kafka_partitions", &PyDict_Type, &dict, &topic, &timeout_s))
    return nullptr;
  return guarded(static_cast<PyObject*>(nullptr), [&](const Gil& gil) {
    const kafka::Properties properties = properties_of(gil, dict);
    std::int32_t count = 0;
    {
      const embed::GilRelease released;
      count = kafka::partition_count(properties, topic, static_cast<int>(timeout_s * 1000));
    }
    return PyLong_FromLong(count);
  });
}

int add_kafka_types(PyObject* module) {
  if (add_type<kafka::Reader>(
          module, "_machida.KafkaReader", new_reader, kReaderMethods,
          "KafkaReader(properties: dict[str, str], topic: str, partition: int, offset: int,\n"
          "timeout_s: float)\n\nReads a partition from an offset on; -2 is the beginning, -1 the\n"
          "end. Waits up to timeout_s to learn the end. Raises RuntimeError.") < 0)
    return -1;
  return add_type<kafka::Writer>(
      module, "_machida.KafkaWriter", new_writer, kWriterMethods,
      "KafkaWriter(properties: dict[str, str], topic: str)\n\nAn idempotent producer. Raises\n"
      "RuntimeError when the properties are wrong.");
}

}  // namespace machida
