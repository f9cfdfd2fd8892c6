#include "server/flow/keyed_builder.h"

#include "server/flow/call.h"

namespace machida::flow {

PyObject* KeyedBuilder::build(const embed::Gil& gil, PyObject* key) const {
  return takes == BuilderTakes::kKey ? call_one(gil, function.get(), key)
                                     : PyObject_CallNoArgs(function.get());
}

}  // namespace machida::flow
