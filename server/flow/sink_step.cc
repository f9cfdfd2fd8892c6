#include "server/flow/sink_step.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "embed/value.h"
#include "server/flow/call.h"
#include "server/flow/item_key.h"

namespace machida::flow {
namespace {

using embed::Gil;
using embed::Object;

constexpr const char* kWriting = "error writing output batch";
constexpr const char* kAssigning = "error assigning output partition";

constexpr std::size_t kNoPart = std::numeric_limits<std::size_t>::max();

// Which of `parts` partitions an item belongs to: by anything that is an index, as NumPy's integers
// are. kNoPart, with an exception set: to none.
std::size_t part_of(const Gil& gil, PyObject* item, PyObject* part_fn, std::size_t parts) {
  PyObject* made = nullptr;
  PyObject* key = exact_key(gil, item, made);
  const Object owned = made ? Object::steal(gil, made) : Object();
  PyObject* number = key ? call_one(gil, part_fn, key) : nullptr;
  PyObject* index = number ? PyNumber_Index(number) : nullptr;
  const std::size_t part = index ? PyLong_AsSize_t(index) : 0;
  Py_XDECREF(index);
  Py_XDECREF(number);
  return PyErr_Occurred() ? kNoPart : part % parts;
}

class ByPart final : public Assignment {
 public:
  ByPart(Object part_fn, std::size_t parts, std::uint32_t workers)
      : part_fn_(std::move(part_fn)), parts_(parts), workers_(workers) {}
  std::uint32_t owner_of(const Gil& gil, PyObject* item) override {
    const std::size_t part = part_of(gil, item, part_fn_.get(), parts_);
    return part == kNoPart ? KeyOwners::kNobody : static_cast<std::uint32_t>(part % workers_);
  }

 private:
  Object part_fn_;
  std::size_t parts_;
  std::uint32_t workers_;
};

Object attribute(const Gil& gil, const Object& of, const char* name) {
  return Object::steal(gil, PyObject_GetAttrString(of.get(), name));
}

// What a sink looks like to the engine; nothing when user code raised.
struct AdaptedSink {
  Object adapter;
  bool partitioned = false;
  std::vector<std::string> names;  // sorted
};
std::optional<AdaptedSink> adapt(const Gil& gil, const Place& place, const Object& sink,
                                 DeadLetters& dead_letters) {
  const Object function = embed::imported(gil, "wallaroo.flows.sink_adapter", "adapt_sink");
  AdaptedSink adapted;
  PyObject* adapter = call_one(gil, function.get(), sink.get());
  if (adapter) adapted.adapter = Object::steal(gil, adapter);
  if (adapter) adapted.partitioned = PyObject_HasAttrString(adapter, "list_parts");
  PyObject* listed =
      adapted.partitioned ? PyObject_CallMethod(adapter, "list_parts", nullptr) : nullptr;
  if (!adapter || (adapted.partitioned && !listed)) {
    dead_letters.add_pending(gil, place, Py_None);
    return std::nullopt;
  }
  if (!listed) return adapted;
  for (const Object& name : embed::items(gil, Object::steal(gil, listed)))
    adapted.names.push_back(embed::str(gil, name));
  std::sort(adapted.names.begin(), adapted.names.end());
  if (!adapted.names.empty()) return adapted;
  dead_letters.add(
      gil, place,
      embed::made_error("ValueError", "the sink of step '" + place.step + "' lists no partitions"),
      Py_None);
  return std::nullopt;
}

}  // namespace

std::unique_ptr<SinkStep> make_sink_step(const Gil& gil, Place place, const Object& sink,
                                         std::uint32_t worker, std::uint32_t workers,
                                         DeadLetters& dead_letters) {
  std::optional<AdaptedSink> adapted = adapt(gil, place, sink, dead_letters);
  if (!adapted) return nullptr;
  if (adapted->partitioned)
    return std::make_unique<PartitionedSinkStep>(gil, std::move(place), dead_letters,
                                                 std::move(adapted->adapter),
                                                 std::move(adapted->names), worker, workers);
  PyObject* built = PyObject_CallMethod(adapted->adapter.get(), "build", "II", worker, workers);
  if (!built) {
    dead_letters.add_pending(gil, place, Py_None);
    return nullptr;
  }
  return std::make_unique<DynamicSinkStep>(gil, std::move(place), dead_letters,
                                           Object::steal(gil, built));
}

std::unique_ptr<Assignment> make_sink_assignment(const Gil& gil, const Place& place,
                                                 const Object& sink, std::uint32_t workers,
                                                 DeadLetters& dead_letters) {
  const std::optional<AdaptedSink> adapted = adapt(gil, place, sink, dead_letters);
  if (!adapted || !adapted->partitioned) return nullptr;
  return std::make_unique<ByPart>(attribute(gil, adapted->adapter, "part_fn"),
                                  adapted->names.size(), workers);
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

PartitionedSinkStep::PartitionedSinkStep(const Gil& gil, Place place, DeadLetters& dead_letters,
                                         Object adapter, std::vector<std::string> names,
                                         std::uint32_t worker, std::uint32_t workers)
    : SinkStep(std::move(place), dead_letters),
      adapter_(std::move(adapter)),
      part_fn_(attribute(gil, adapter_, "part_fn")),
      worker_(worker),
      workers_(workers),
      states_(this->place().step) {
  for (std::string& name : names)
    parts_.push_back({std::move(name), Object::steal(gil, PyList_New(0)), {}, {}, {}, false});
}

void PartitionedSinkStep::resume(const Gil& gil) {
  for (std::size_t i = worker_; i < parts_.size(); i += workers_)
    if (states_.was_stored(parts_[i].name)) build(gil, parts_[i]);
}

void PartitionedSinkStep::add(const Gil& gil, PyObject* item) {
  const std::size_t part = part_of(gil, item, part_fn_.get(), parts_.size());
  if (part == kNoPart) return failed(gil, item, kAssigning, part_fn_.get());
  PyObject* items = parts_[part].items.get();
  if (PyList_Append(items, PyTuple_GET_ITEM(item, 1)) < 0) embed::throw_pending(gil);
}

bool PartitionedSinkStep::build(const Gil& gil, Part& part) {
  if (part.write_batch) return true;
  const Object name = embed::make_str(gil, part.name);
  const Object state = states_.resume_state(gil, part.name);
  PyObject* made = PyObject_CallMethod(adapter_.get(), "build_part", "OO", name.get(), state.get());
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
