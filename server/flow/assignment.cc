#include "server/flow/assignment.h"

#include "server/flow/call.h"

namespace machida::flow {

std::uint32_t ByKey::owner_of(const embed::Gil& gil, PyObject* record) {
  PyObject* key = call_one(gil, partition_.get(), record);
  if (!key) return KeyOwners::kNobody;
  const Held owned(gil, key);
  return owners_->owner_of(gil, key);
}

}  // namespace machida::flow
