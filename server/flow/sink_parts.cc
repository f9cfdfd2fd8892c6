#include "server/flow/sink_parts.h"

#include <utility>

#include "embed/error.h"
#include "embed/value.h"
#include "server/flow/call.h"
#include "server/flow/item_key.h"

namespace machida::flow {

using embed::Gil;
using embed::Object;

SinkParts::SinkParts(const Gil& gil, Place place, const Object& sink, DeadLetters& dead_letters)
    : place_(std::move(place)), dead_letters_(dead_letters) {
  const Object adapt = embed::imported(gil, "wallaroo.flows.sink_adapter", "adapt_sink");
  PyObject* adapter = call_one(gil, adapt.get(), sink.get());
  if (!adapter) {
    dead_letters_.add_pending(gil, place_, Py_None);
    return;
  }
  adapter_ = Object::steal(gil, adapter);
  if (!PyObject_HasAttrString(adapter, "list_parts")) return;
  part_fn_ = Object::steal(gil, PyObject_GetAttrString(adapter, "part_fn"));
  PyObject* listed = PyObject_CallMethod(adapter, "list_parts", nullptr);
  if (!listed) {
    dead_letters_.add_pending(gil, place_, Py_None);
    return;
  }
  for (const Object& name : embed::items(gil, Object::steal(gil, listed)))
    listed_.push_back(embed::str(gil, name));
}

void SinkParts::agree_on(const Gil& gil, OwnedParts parts) {
  parts_ = std::move(parts);
  if (!partitioned() || !parts_.empty()) return;
  const std::string what = "the sink of step '" + place_.step + "' lists no partitions";
  dead_letters_.add(gil, place_, embed::made_error("ValueError", what), Py_None);
}

std::size_t SinkParts::part_of(const Gil& gil, PyObject* item) const {
  PyObject* made = nullptr;
  PyObject* key = exact_key(gil, item, made);
  const Object owned = made ? Object::steal(gil, made) : Object();
  PyObject* number = key ? call_one(gil, part_fn_.get(), key) : nullptr;
  PyObject* index = number ? PyNumber_Index(number) : nullptr;
  const std::size_t part = index ? PyLong_AsSize_t(index) : 0;
  Py_XDECREF(index);
  Py_XDECREF(number);
  return PyErr_Occurred() ? kNone : part % parts_.size();
}

}  // namespace machida::flow
