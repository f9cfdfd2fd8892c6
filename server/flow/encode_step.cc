#include "server/flow/encode_step.h"

#include "embed/value.h"
#include "server/flow/call.h"

namespace machida::flow {
namespace {

embed::PythonError wrong_type(const embed::Gil& gil, PyObject* encoded) {
  const embed::Object object = embed::Object::borrow(gil, encoded);
  return embed::wrong_result("an encoder must return bytes or str, got " +
                             embed::type_name(object) + ": " + embed::repr(gil, object, 200));
}

}  // namespace

void EncodeStep::run(const embed::Gil& gil, const Batch& records) {
  std::uint64_t written = 0;
  for (std::size_t i = 0; i < records.size(); ++i)
    if (encode(gil, records.at(i))) ++written;
  outputs_.add(written);
}

bool EncodeStep::encode(const embed::Gil& gil, PyObject* record) {
  try {
    const Held encoded(gil, call_one(gil, encode_.get(), record));
    if (encoded.get() == Py_None) return false;
    const std::optional<std::string_view> bytes = embed::bytes_view(gil, encoded.get());
    if (!bytes) throw wrong_type(gil, encoded.get());
    outlet_.write(*bytes);
    return true;
  } catch (const embed::PythonError& error) {
    dead_letters_.add(gil, place_, error, record);
    return false;
  }
}

}  // namespace machida::flow
