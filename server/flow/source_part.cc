#include "server/flow/source_part.h"

#include <algorithm>

#include "embed/instants.h"
#include "embed/value.h"
#include "server/base/log.h"
#include "server/flow/ahead.h"
#include "server/flow/call.h"
#include "server/flow/user_call.h"

namespace machida::flow {
namespace {

using embed::Gil;
using embed::Object;

// After an empty batch; twice as long after each further one, so that idling costs next to nothing.
constexpr std::int64_t kNothingPauseMinUs = 1'000;
constexpr std::int64_t kNothingPauseMaxUs = 8'000;
constexpr std::int64_t kSlowUs = 1'000'000;  // a call that keeps the worker so long is told

Object attribute_or_nothing(const Gil& gil, const Object& of, const char* name) {
  Object value = Object::steal(gil, PyObject_GetAttrString(of.get(), name));
  return embed::is_none(value) ? Object() : std::move(value);
}

}  // namespace

SourcePart::SourcePart(const Gil& gil, Place place, std::string name, Object built,
                       Object abort_class, DeadLetters& dead_letters, const SystemTime& time)
    : place_(std::move(place)),
      name_(std::move(name)),
      next_batch_(attribute_or_nothing(gil, built, "next_batch")),
      next_awake_(attribute_or_nothing(gil, built, "next_awake")),
      snapshot_(attribute_or_nothing(gil, built, "snapshot")),
      close_(attribute_or_nothing(gil, built, "close")),
      abort_class_(std::move(abort_class)),
      takes_sched_(attribute_or_nothing(gil, built, "takes_sched").get() == Py_True),
      dead_letters_(dead_letters),
      time_(time) {
  const std::int64_t now_us = time_.now_us();
  awake_us_ = now_us;
  sleep(gil, true, now_us);
}

std::string SourcePart::text(const char* method) const {
  const char* kind = snapshot_ ? "StatefulSourcePartition" : "StatelessSourcePartition";
  std::string what = fmt::format("error calling `{}.{}` in step \"{}\"", kind, method, place_.step);
  if (!name_.empty()) what += fmt::format(" for partition \"{}\"", name_);
  return what;
}

void SourcePart::failed(const Gil& gil, const std::string& what, PyObject* function) {
  ended_ = true;
  note_user_call(gil, what.c_str(), place_, function, nullptr);
  dead_letters_.add_pending(gil, place_, Py_None);
}

SourcePart::Polled SourcePart::poll(const Gil& gil, std::int64_t now_us) {
  PyObject* result = next_batch(gil);
  if (!result) return stopped(gil);
  if (!PyList_CheckExact(result) && !PyTuple_CheckExact(result)) {
    result = list_of(gil, result);
    if (!result) {
      failed(gil, text("next_batch"), next_batch_.get());
      return Polled::kEnd;
    }
  }
  items_ = Object::steal(gil, result);
  taken_ = 0;
  const bool some = PySequence_Fast_GET_SIZE(result) > 0;
  moved_ = true;
  const std::int64_t returned_us = time_.now_us();
  look_how_long(returned_us - now_us);
  sleep(gil, some, returned_us);
  return some ? Polled::kItems : Polled::kNothing;
}

// The items of any other sequence, whose reference it takes over; null with the exception set. A
// str is taken for a mistake.
PyObject* SourcePart::list_of(const Gil& gil, PyObject* batch) const {
  const Held owned(gil, batch);
  if (PySequence_Check(batch) && !PyUnicode_Check(batch)) return PySequence_List(batch);
  PyErr_Format(PyExc_TypeError,
               "`next_batch` method of %s did not return a `list`; got %.200R from step '%s'",
               snapshot_ ? "StatefulSourcePartition" : "StatelessSourcePartition", batch,
               place_.step.c_str());
  return nullptr;
}

// A new reference, or null with the exception set.
PyObject* SourcePart::next_batch(const Gil& gil) const {
  if (!takes_sched_) return PyObject_CallNoArgs(next_batch_.get());
  const Held sched(gil, embed::make_utc_datetime(gil, awake_us_).release());
  return call_one(gil, next_batch_.get(), sched.get());
}

// The exception of next_batch: how a source says that it has ended.
SourcePart::Polled SourcePart::stopped(const Gil& gil) {
  moved_ = true;
  ended_ = true;
  if (PyErr_ExceptionMatches(PyExc_StopIteration)) {
    PyErr_Clear();
    return Polled::kEnd;
  }
  if (PyErr_ExceptionMatches(abort_class_.get())) {
    PyErr_Clear();
    return Polled::kAbort;
  }
  failed(gil, text("next_batch"), next_batch_.get());
  return Polled::kEnd;
}

// When it wants to be polled next: at once after items, a little later after none, or when it says.
void SourcePart::sleep(const Gil& gil, bool had_items, std::int64_t now_us) {
  pause_us_ = had_items ? 0 : std::clamp(2 * pause_us_, kNothingPauseMinUs, kNothingPauseMaxUs);
  awake_us_ = now_us + pause_us_;
  if (!next_awake_) return;
  PyObject* wanted = PyObject_CallNoArgs(next_awake_.get());
  if (!wanted) return failed(gil, text("next_awake"), next_awake_.get());
  const Held owned(gil, wanted);
  if (wanted == Py_None) return;
  const std::optional<std::int64_t> wanted_us = embed::datetime_micros(gil, wanted);
  if (wanted_us) {
    awake_us_ = *wanted_us;
    return;
  }
  PyErr_Format(PyExc_TypeError,
               "`next_awake` must return an aware datetime or None; got %.200R from step '%s'",
               wanted, place_.step.c_str());
  failed(gil, text("next_awake"), next_awake_.get());
}

// A source that blocks keeps the whole worker waiting.
void SourcePart::look_how_long(std::int64_t took_us) {
  if (said_slow_ || took_us < kSlowUs) return;
  said_slow_ = true;
  log::warn(
      "step '{}'{}: next_batch took {} ms, in which nothing else ran; return what is there, "
      "or an empty list, and say in next_awake when to ask again",
      place_.step, name_.empty() ? "" : " partition '" + name_ + "'", took_us / 1000);
}

// The source may have the list, too: steps run before the rest of it is taken, and may change it.
void SourcePart::keep_for_itself(const Gil& gil) {
  PyObject* items = items_.get();
  if (PyList_Check(items) && Py_REFCNT(items) > 1)
    items_ = Object::steal(gil, PyList_GetSlice(items, 0, PyList_GET_SIZE(items)));
}

bool SourcePart::next_items(const Gil& gil, Batch& out, std::size_t items_max) {
  if (!items_) return false;
  const auto size = static_cast<std::size_t>(PySequence_Fast_GET_SIZE(items_.get()));
  if (size > items_max && taken_ == 0) keep_for_itself(gil);
  PyObject* sequence = items_.get();
  const std::size_t end = std::min(size, taken_ + items_max);
  PyObject** elements = PySequence_Fast_ITEMS(sequence);
  for (std::size_t i = taken_; i < end; ++i) {
    fetch_ahead(elements[std::min(i + kAhead, end - 1)]);
    Py_INCREF(elements[i]);
    out.push(elements[i]);
  }
  const bool any = end > taken_;
  taken_ = end;
  if (taken_ >= size) drop(gil, items_);
  return any;
}

Object SourcePart::snapshot(const Gil& gil) {
  moved_ = false;
  if (!snapshot_) return {};
  PyObject* position = PyObject_CallNoArgs(snapshot_.get());
  if (position) return Object::steal(gil, position);
  failed(gil, text("snapshot"), snapshot_.get());
  return {};
}

void SourcePart::close(const Gil& gil) {
  if (!close_) return;
  const Object close = std::move(close_);
  PyObject* result = PyObject_CallNoArgs(close.get());
  if (result)
    Py_DECREF(result);
  else
    failed(gil, text("close"), close.get());
}

}  // namespace machida::flow
