#include "server/flow/source_parts.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <algorithm>

#include "embed/instants.h"
#include "embed/value.h"
#include "server/base/earliest.h"

namespace machida::flow {
namespace {

using embed::Gil;
using embed::Object;

// Calls user code while the dataflow is set up; what it raises ends the run.
template <class Call>
Object set_up(const Gil& gil, DeadLetters& dead_letters, const Place& place, Call&& call) {
  PyObject* made = call();
  if (made) return Object::steal(gil, made);
  dead_letters.add_pending(gil, place, Py_None);
  return {};
}

}  // namespace

std::vector<std::string> SourceParts::list(const Gil& gil, DeadLetters& dead_letters) {
  const Object adapt = embed::imported(gil, "wallaroo.flows.source_adapter", "adapt_source");
  adapter_ = set_up(gil, dead_letters, place_,
                    [&] { return PyObject_CallOneArg(adapt.get(), source_.get()); });
  if (!adapter_) return {};
  const Object kind = Object::steal(gil, PyObject_GetAttrString(adapter_.get(), "kind"));
  is_dynamic_ = embed::str(gil, kind) == "dynamic";
  if (is_dynamic_) return {};
  const Object listed = set_up(gil, dead_letters, place_, [&] {
    return PyObject_CallMethod(adapter_.get(), "list_parts", nullptr);
  });
  if (!listed) return {};
  std::vector<std::string> names;
  for (const Object& name : embed::items(gil, listed)) names.push_back(embed::str(gil, name));
  return names;
}

void SourceParts::build(const Gil& gil, DeadLetters& dead_letters, const SystemTime& time) {
  const Object abort_class = embed::imported(gil, "wallaroo.flows.inputs", "AbortExecution");
  const Object now = embed::make_utc_datetime(gil, time.now_us());
  const auto add = [&](std::uint32_t worker, const std::string& name, Object built) {
    if (built)
      parts_.push_back({worker, SourcePart(gil, place_, name, std::move(built),
                                           abort_class.clone(gil), dead_letters, time)});
  };
  for (std::uint32_t w = workers_.first; adapter_ && w < workers_.first + workers_.here; ++w) {
    if (is_dynamic_)
      add(w, "", set_up(gil, dead_letters, place_, [&] {
            return PyObject_CallMethod(adapter_.get(), "build", "OII", now.get(), w, workers_.all);
          }));
    for (const OwnedPart& owned : owned_) {
      if (owned.worker != w) continue;
      const Object state = states_.resume_state(gil, owned.name);
      add(w, owned.name, set_up(gil, dead_letters, place_, [&] {
            return PyObject_CallMethod(adapter_.get(), "build_part", "OsO", now.get(),
                                       owned.name.c_str(), state.get());
          }));
    }
  }
}

bool SourceParts::ended() const noexcept {
  return std::all_of(parts_.begin(), parts_.end(),
                     [](const Part& part) { return part.source.ended(); });
}

std::optional<std::int64_t> SourceParts::next_awake_us() const noexcept {
  std::optional<std::int64_t> awake_us;
  for (const Part& part : parts_)
    if (!part.source.ended()) awake_us = earliest(awake_us, part.source.awake_us());
  return awake_us;
}

bool SourceParts::moved() const noexcept {
  return std::any_of(parts_.begin(), parts_.end(),
                     [](const Part& part) { return part.source.moved(); });
}

void SourceParts::end_epoch(const Gil& gil) {
  for (Part& part : parts_) {
    if (!part.source.moved()) continue;
    Object position = part.source.snapshot(gil);
    if (position) states_.put(part.source.name(), std::move(position));
  }
}

void SourceParts::close(const Gil& gil) {
  for (Part& part : parts_) part.source.close(gil);
}

}  // namespace machida::flow
