#include "server/flow/window_logic.h"

#include <algorithm>
#include <numeric>

#include "server/flow/call.h"

namespace machida::flow {
namespace {

using embed::Gil;
using embed::Object;

void append(const Gil& gil, Object& list, PyObject* value) {
  if (!list) list = Object::steal(gil, PyList_New(0));
  if (PyList_Append(list.get(), value) != 0) embed::throw_pending(gil);
}

void extend(const Gil& gil, const Object& list, const Object& by) {
  const Py_ssize_t end = PyList_GET_SIZE(list.get());
  if (PyList_SetSlice(list.get(), end, end, by.get()) != 0) embed::throw_pending(gil);
}

// function(accumulator, value) becomes the accumulator; false: it raised.
bool combine(const Gil& gil, const Object& function, Object& accumulator, PyObject* value) {
  PyObject* next = call_two(gil, function.get(), accumulator.get(), value);
  if (!next) return false;
  replace(gil, accumulator, next);
  return true;
}

class Reduce final : public WindowLogic {
 public:
  explicit Reduce(Object reducer) : reducer_(std::move(reducer)) {}

  UserFailure add(const Gil& gil, WindowSlot& slot, PyObject*, PyObject* value,
                  window::Micros) const override {
    if (slot.held) return reduce(gil, slot.held, value);
    slot.held = Object::borrow(gil, value);
    return {};
  }
  UserFailure merge(const Gil& gil, WindowSlot& into, WindowSlot& from) const override {
    return reduce(gil, into.held, from.held.get());
  }
  UserFailure finish(const Gil&, WindowSlot& slot, PyObject*, Object& output) const override {
    output = std::move(slot.held);
    return {};
  }

 private:
  UserFailure reduce(const Gil& gil, Object& accumulator, PyObject* value) const {
    if (combine(gil, reducer_, accumulator, value)) return {};
    return {"error calling `reduce_window` reducer", reducer_.get(), {}};
  }

  Object reducer_;
};

class Fold : public WindowLogic {
 public:
  Fold(KeyedBuilder builder, Object folder)
      : builder_(std::move(builder)), folder_(std::move(folder)) {}

  UserFailure add(const Gil& gil, WindowSlot& slot, PyObject* key, PyObject* value,
                  window::Micros) const override {
    return fold(gil, slot.held, key, value);
  }
  UserFailure merge(const Gil& gil, WindowSlot&, WindowSlot&) const override {
    PyErr_SetString(PyExc_SystemError, "windows that stay apart were merged");
    embed::throw_pending(gil);
  }
  UserFailure finish(const Gil&, WindowSlot& slot, PyObject*, Object& output) const override {
    output = std::move(slot.held);
    return {};
  }

 protected:
  UserFailure fold(const Gil& gil, Object& accumulator, PyObject* key, PyObject* value) const {
    if (!accumulator) {
      PyObject* fresh = builder_.build(gil, key);
      if (!fresh) return {"error calling FoldWindow builder", builder_.function.get(), {}};
      accumulator = Object::steal(gil, fresh);
    }
    if (combine(gil, folder_, accumulator, value)) return {};
    return {"error calling FoldWindow folder", folder_.get(), {}};
  }

 private:
  KeyedBuilder builder_;
  Object folder_;
};

class FoldAtClose final : public Fold {
 public:
  using Fold::Fold;

  UserFailure add(const Gil& gil, WindowSlot& slot, PyObject*, PyObject* value,
                  window::Micros) const override {
    append(gil, slot.held, value);
    return {};
  }
  UserFailure merge(const Gil& gil, WindowSlot& into, WindowSlot& from) const override {
    extend(gil, into.held, from.held);
    return {};
  }
  UserFailure finish(const Gil& gil, WindowSlot& slot, PyObject* key,
                     Object& output) const override {
    const Object values = std::move(slot.held);
    const Py_ssize_t size = PyList_GET_SIZE(values.get());
    for (Py_ssize_t i = 0; i < size; ++i) {
      PyObject* value = PyList_GET_ITEM(values.get(), i);
      UserFailure failure = fold(gil, output, key, value);
      if (!failure) continue;
      failure.value = Object::borrow(gil, value);
      return failure;
    }
    return {};
  }
};

class Collect final : public WindowLogic {
 public:
  UserFailure add(const Gil& gil, WindowSlot& slot, PyObject*, PyObject* value,
                  window::Micros time_us) const override {
    append(gil, slot.held, value);
    slot.times.push_back(time_us);
    return {};
  }
  UserFailure merge(const Gil& gil, WindowSlot& into, WindowSlot& from) const override {
    extend(gil, into.held, from.held);
    into.times.insert(into.times.end(), from.times.begin(), from.times.end());
    return {};
  }
  UserFailure finish(const Gil& gil, WindowSlot& slot, PyObject*, Object& output) const override {
    const std::vector<window::Micros>& times = slot.times;
    if (std::is_sorted(times.begin(), times.end())) {
      output = std::move(slot.held);
      return {};
    }
    std::vector<std::size_t> order(times.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&times](std::size_t a, std::size_t b) { return times[a] < times[b]; });
    Object sorted = Object::steal(gil, PyList_New(static_cast<Py_ssize_t>(order.size())));
    for (std::size_t i = 0; i < order.size(); ++i) {
      PyObject* value = PyList_GET_ITEM(slot.held.get(), static_cast<Py_ssize_t>(order[i]));
      Py_INCREF(value);
      PyList_SET_ITEM(sorted.get(), static_cast<Py_ssize_t>(i), value);
    }
    output = std::move(sorted);
    return {};
  }
};

}  // namespace

std::unique_ptr<WindowLogic> reduce_logic(Object reducer) {
  return std::make_unique<Reduce>(std::move(reducer));
}

std::unique_ptr<WindowLogic> fold_logic(KeyedBuilder builder, Object folder,
                                        FoldedWindows windows) {
  if (windows == FoldedWindows::kMayMerge)
    return std::make_unique<FoldAtClose>(std::move(builder), std::move(folder));
  return std::make_unique<Fold>(std::move(builder), std::move(folder));
}

std::unique_ptr<WindowLogic> collect_logic() { return std::make_unique<Collect>(); }

}  // namespace machida::flow
