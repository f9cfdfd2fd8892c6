#include "server/flow/sink_step.h"

#include <algorithm>

#include "embed/value.h"
#include "server/flow/call.h"

namespace machida::flow {
namespace {

using embed::Gil;
using embed::Object;

constexpr const char* kWriting = "error writing output batch";
constexpr const char* kAssigning = "error assigning output partition";

class ByPart final : public Assignment {
 public:
  explicit ByPart(const SinkParts& parts) : parts_(parts) {}
  std::uint32_t owner_of(const Gil& gil, PyObject* item) override {
    const std::size_t part = parts_.part_of(gil, item);
    return part == SinkParts::kNone ? KeyOwners::kNobody : parts_.parts()[part].worker;
  }

 private:
  const SinkParts& parts_;
};

Object attribute(const Gil& gil, const Object& of, const char* name) {
  return Object::steal(gil, PyObject_GetAttrString(of.get(), name));
}

}  // namespace

std::unique_ptr<SinkStep> make_sink_step(const Gil& gil, const SinkParts& parts,
                                         std::uint32_t worker, std::uint32_t workers,
                                         DeadLetters& dead_letters) {
  if (!parts.adapter()) return nullptr;
  if (parts.partitioned())
    return std::make_unique<PartitionedSinkStep>(parts, worker, dead_letters);
  PyObject* built = PyObject_CallMethod(parts.adapter().get(), "build", "II", worker, workers);
  if (!built) {
    dead_letters.add_pending(gil, parts.place(), Py_None);
    return nullptr;
  }
  return std::make_unique<DynamicSinkStep>(gil, parts.place(), dead_letters,
                                           Object::steal(gil, built));
}

std::unique_ptr<Assignment> make_sink_assignment(const SinkParts& parts) {
  return parts.partitioned() ? std::make_unique<ByPart>(parts) : nullptr;
}

void SinkStep::write(const Gil& gil, PyObject* write_batch, PyObject* list, const char* what) {
  PyObject* result = call_one(gil, write_batch, list);
  if (result)
    Py_DECREF(result);
  else
    failed(gil, list, what, write_batch);
}

void SinkStep::close_part(const Gil& gil, Object close) {
  if (!close || embed::is_none(close)) return;
  PyObject* result = PyObject_CallNoArgs(close.get());
  if (result)
    Py_DECREF(result);
  else
    failed(gil, Py_None, "error closing the sink", close.get());
}

DynamicSinkStep::DynamicSinkStep(const Gil& gil, Place place, DeadLetters& dead_letters,
                                 Object built)
    : SinkStep(std::move(place), dead_letters),
      write_batch_(attribute(gil, built, "write_batch")),
      close_(attribute(gil, built, "close")),
      end_epoch_(attribute(gil, built, "end_epoch")) {}

void DynamicSinkStep::write_kept(const Gil& gil) {
  if (embed::is_none(end_epoch_)) return;
  PyObject* result = PyObject_CallNoArgs(end_epoch_.get());
  if (result)
    Py_DECREF(result);
  else
    failed(gil, Py_None, "error writing the items of an epoch", end_epoch_.get());
}

void DynamicSinkStep::run(const Gil& gil, Batch& in, Batch& out) {
  for (std::size_t at = 0; at < in.size(); at += kWriteItemsMax) {
    const std::size_t count = std::min(kWriteItemsMax, in.size() - at);
    const Held list(gil, PyList_New(static_cast<Py_ssize_t>(count)));
    for (std::size_t i = 0; i < count; ++i)
      PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), Py_NewRef(in.at(at + i)));
    write(gil, write_batch_.get(), list.get(), kWriting);
  }
  out.swap(in);
}

void DynamicSinkStep::close(const Gil& gil) { close_part(gil, std::move(close_)); }

PartitionedSinkStep::PartitionedSinkStep(const SinkParts& shared, std::uint32_t worker,
                                         DeadLetters& dead_letters)
    : SinkStep(shared.place(), dead_letters),
      shared_(shared),
      worker_(worker),
      states_(this->place().step) {}

void PartitionedSinkStep::begin(const Gil& gil) {
  for (const OwnedPart& owned : shared_.parts()) {
    parts_.push_back({owned.name, Object::steal(gil, PyList_New(0)), {}, {}, {}, false});
    if (owned.worker == worker_ && states_.was_stored(owned.name)) build(gil, parts_.back());
  }
}

void PartitionedSinkStep::add(const Gil& gil, PyObject* item) {
  const std::size_t part = shared_.part_of(gil, item);
  if (part == SinkParts::kNone) return failed(gil, item, kAssigning, shared_.part_fn());
  PyObject* items = parts_[part].items.get();
  if (PyList_Append(items, PyTuple_GET_ITEM(item, 1)) < 0) embed::throw_pending(gil);
}

bool PartitionedSinkStep::build(const Gil& gil, Part& part) {
  if (part.write_batch) return true;
  const Object name = embed::make_str(gil, part.name);
  const Object state = states_.resume_state(gil, part.name);
  PyObject* made =
      PyObject_CallMethod(shared_.adapter().get(), "build_part", "OO", name.get(), state.get());
  if (!made) {
    failed(gil, name.get(), "error building output partition", nullptr);
    return false;
  }
  const Object built = Object::steal(gil, made);
  part.write_batch = attribute(gil, built, "write_batch");
  part.snapshot = attribute(gil, built, "snapshot");
  part.close = attribute(gil, built, "close");
  return true;
}

void PartitionedSinkStep::run(const Gil& gil, Batch& in, Batch& out) {
  for (std::size_t i = 0; i < in.size(); ++i) add(gil, in.at(i));
  for (Part& part : parts_) {
    if (PyList_GET_SIZE(part.items.get()) == 0) continue;
    const Object items = std::exchange(part.items, Object::steal(gil, PyList_New(0)));
    if (!build(gil, part)) continue;
    part.wrote = true;
    write(gil, part.write_batch.get(), items.get(), kWriting);
  }
  out.swap(in);
}

void PartitionedSinkStep::end_epoch(const Gil& gil) {
  for (Part& part : parts_) {
    if (!std::exchange(part.wrote, false)) continue;
    PyObject* snapshot = PyObject_CallNoArgs(part.snapshot.get());
    if (snapshot)
      states_.put(part.name, Object::steal(gil, snapshot));
    else
      failed(gil, Py_None, "error calling `StatefulSinkPartition.snapshot`", part.snapshot.get());
  }
}

void PartitionedSinkStep::close(const Gil& gil) {
  for (Part& part : parts_) close_part(gil, std::move(part.close));
}

}  // namespace machida::flow
