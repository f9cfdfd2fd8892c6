#include "server/flow/decode_step.h"

#include "server/flow/call.h"
#include "server/flow/outputs.h"

namespace machida::flow {

void DecodeStep::decode(const embed::Gil& gil, PyObject* bytes, Batch& out) {
  PyObject* record = call_one(gil, decode_.get(), bytes);
  if (record)
    push_one(gil, record, out);
  else
    failed(gil, bytes);
}

void DecodeStep::run_frames(const embed::Gil& gil, std::span<const std::string_view> frames,
                            Batch& out) {
  for (const std::string_view frame : frames) {
    const Held bytes(
        gil, PyBytes_FromStringAndSize(frame.data(), static_cast<Py_ssize_t>(frame.size())));
    decode(gil, bytes.get(), out);
  }
}

void DecodeStep::run(const embed::Gil& gil, Batch& in, Batch& out) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    decode(gil, in.at(i), out);
    Py_DECREF(in.take(i));
  }
}

}  // namespace machida::flow
