#include "server/flow/key_owners.h"

#include "embed/error.h"
#include "server/flow/call.h"
#include "server/flow/stable_hash.h"

namespace machida::flow {

KeyOwners::KeyOwners(const embed::Gil& gil, std::uint32_t workers,
                     const std::vector<embed::Object>* listed)
    : workers_(workers) {
  if (!listed) return;
  listed_ = embed::Object::steal(gil, PyDict_New());
  for (std::size_t i = 0; i < listed->size(); ++i) {
    const Held worker(gil, PyLong_FromSize_t(i % workers));
    if (PyDict_SetItem(listed_.get(), (*listed)[i].get(), worker.get()) != 0)
      embed::throw_pending(gil);
  }
}

std::uint32_t KeyOwners::owner_of(const embed::Gil& gil, PyObject* key) const {
  if (listed_) {
    PyObject* worker = PyDict_GetItemWithError(listed_.get(), key);
    if (worker) return static_cast<std::uint32_t>(PyLong_AsUnsignedLong(worker));
    if (PyErr_Occurred()) return kNobody;
  }
  const std::optional<std::uint64_t> hash = stable_hash(gil, key);
  return hash ? static_cast<std::uint32_t>(*hash % workers_) : kNobody;
}

std::uint32_t owner_of_name(const std::string& state, std::uint32_t workers) {
  return static_cast<std::uint32_t>(stable_hash_of_text(state) % workers);
}

}  // namespace machida::flow
