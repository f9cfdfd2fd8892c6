#include "server/flow/assignment.h"

#include "server/flow/call.h"

namespace machida::flow {

std::uint32_t ByKey::owner_of(const embed::Gil& gil, PyObject* record) {
  PyObject* key = call_one(gil, partition_.get(), record);
  if (!key) return KeyOwners::kNobody;
  replace(gil, key_, key);
  return owners_->owner_of(gil, key);
}

std::uint32_t ByItemKey::owner_of(const embed::Gil& gil, PyObject* record) {
  if (!PyTuple_Check(record) || PyTuple_GET_SIZE(record) != 2) return own_;
  PyObject* key = PyTuple_GET_ITEM(record, 0);
  return PyUnicode_Check(key) ? owners_.owner_of(gil, key) : own_;
}

}  // namespace machida::flow
