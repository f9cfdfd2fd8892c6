#include "server/flow/keyed_step.h"

#include "server/flow/ahead.h"
#include "server/flow/call.h"
#include "server/flow/item_key.h"

namespace machida::flow {

using embed::Gil;

namespace {

// Keys handled in one on_due(): some milliseconds of work.
constexpr std::size_t kDueKeysMax = 1024;

// What is in an item that will be looked at soon.
void fetch_pair_ahead(PyObject* item) {
  if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) return;
  fetch_ahead(PyTuple_GET_ITEM(item, 0));
  fetch_ahead(PyTuple_GET_ITEM(item, 1));
}

}  // namespace

void KeyedStep::run(const Gil& gil, Batch& in, Batch& out) {
  if (in.empty()) return;
  begin_batch();
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (i + kAhead < in.size()) fetch_pair_ahead(in.at(i + kAhead));
    PyObject* item = in.at(i);
    PyObject* made = nullptr;
    PyObject* key = exact_key(gil, item, made);
    if (!key) {
      failed(gil, item, "error routing by the key", nullptr);
    } else {
      const embed::Object owned = made ? embed::Object::steal(gil, made) : embed::Object();
      on_record(gil, keys_.use(gil, key), {item, key, PyTuple_GET_ITEM(item, 1)}, out);
    }
    Py_DECREF(in.take(i));
  }
}

void KeyedStep::on_due(const Gil& gil, std::int64_t now_us, Batch& out) {
  for (KeyTable::Cell* cell : keys_.take_due(now_us, kDueKeysMax)) {
    keys_.change(gil, *cell);
    on_cell_due(gil, *cell, now_us, out);
  }
}

void KeyedStep::on_eof(const Gil& gil, Batch& out) {
  if (!gives_at_eof()) return;
  for (KeyTable::Cell* cell : keys_.in_order()) {
    keys_.change(gil, *cell);
    on_cell_eof(gil, *cell, out);
  }
}

void KeyedStep::answer(const Gil& gil, const Record& record, PyObject* output, Batch& out) {
  PyObject* item = record.item;
  if (Py_REFCNT(item) != 1 || !PyTuple_CheckExact(item) || PyTuple_GET_ITEM(item, 0) != record.key)
    return push(gil, record.key, output, out);
  PyObject* value = PyTuple_GET_ITEM(item, 1);
  PyTuple_SET_ITEM(item, 1, output);
  // The collector leaves tuples alone in which it found nothing that can be part of a cycle.
  if (!PyObject_GC_IsTracked(item)) PyObject_GC_Track(item);
  Py_INCREF(item);
  out.push(item);
  Py_DECREF(value);
}

void KeyedStep::push(const Gil& gil, PyObject* key, PyObject* output, Batch& out) {
  if (!output) embed::throw_pending(gil);
  PyObject* pair = PyTuple_New(2);
  if (!pair) {
    Py_DECREF(output);
    embed::throw_pending(gil);
  }
  Py_INCREF(key);
  PyTuple_SET_ITEM(pair, 0, key);
  PyTuple_SET_ITEM(pair, 1, output);
  out.push(pair);
}

}  // namespace machida::flow
