#include "server/flow/key_by_step.h"

#include "server/flow/call.h"

namespace machida::flow {

void KeyByStep::run(const embed::Gil& gil, Batch& in, Batch& out) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    PyObject* record = in.at(i);
    PyObject* key = call_one(gil, partition_.get(), record);
    if (!key) {
      failed(gil, record);
    } else if (!PyUnicode_Check(key)) {
      const Held owned_key(gil, key);
      returned_wrongly(gil, record, key, "the key of a window must be a str");
    } else {
      PyObject* pair = PyTuple_New(2);
      if (!pair) {
        Py_DECREF(key);
        embed::throw_pending(gil);
      }
      PyTuple_SET_ITEM(pair, 0, key);
      PyTuple_SET_ITEM(pair, 1, in.take(i));
      out.push(pair);
      continue;
    }
    Py_DECREF(in.take(i));
  }
}

}  // namespace machida::flow
