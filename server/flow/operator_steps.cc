#include "server/flow/operator_steps.h"

#include "server/flow/call.h"
#include "server/flow/outputs.h"

namespace machida::flow {

using embed::Gil;

void MapItemStep::run(const Gil& gil, Batch& in, Batch& out) {
  PyObject* function = function_.get();
  for (std::size_t i = 0; i < in.size(); ++i) {
    PyObject* item = in.at(i);
    if (PyObject* result = call_one(gil, function, item))
      out.push(result);
    else
      function_failed(gil, item, "error calling `map` mapper");
    Py_DECREF(in.take(i));
  }
}

void FilterStep::run(const Gil& gil, Batch& in, Batch& out) {
  PyObject* function = function_.get();
  for (std::size_t i = 0; i < in.size(); ++i) {
    PyObject* item = in.at(i);
    PyObject* stays = call_one(gil, function, item);
    if (stays == Py_True) {
      out.push(in.take(i));
    } else if (stays != Py_False) {
      if (stays)
        PyErr_Format(PyExc_TypeError,
                     "return value of `predicate` in filter operator must be a bool; got `%R` "
                     "instead",
                     stays);
      function_failed(gil, item, "error calling `filter` predicate");
    }
    Py_XDECREF(stays);
  }
}

void FilterMapStep::run(const Gil& gil, Batch& in, Batch& out) {
  PyObject* function = function_.get();
  for (std::size_t i = 0; i < in.size(); ++i) {
    PyObject* item = in.at(i);
    if (PyObject* result = call_one(gil, function, item))
      push_one(gil, result, out);
    else
      function_failed(gil, item, "error calling `filter_map` mapper");
    Py_DECREF(in.take(i));
  }
}

void FlatMapItemsStep::run(const Gil& gil, Batch& in, Batch& out) {
  PyObject* function = function_.get();
  for (std::size_t i = 0; i < in.size(); ++i) {
    PyObject* item = in.at(i);
    if (PyObject* result = call_one(gil, function, item)) {
      const Held owned_result(gil, result);
      give(gil, item, result, out);
    } else {
      function_failed(gil, item, "error calling `flat_map` mapper");
    }
    Py_DECREF(in.take(i));
  }
}

void FlatMapItemsStep::give(const Gil& gil, PyObject* item, PyObject* result, Batch& out) {
  if (PyList_CheckExact(result) || PyTuple_CheckExact(result)) {
    PyObject** items = PySequence_Fast_ITEMS(result);
    const Py_ssize_t size = PySequence_Fast_GET_SIZE(result);
    for (Py_ssize_t i = 0; i < size; ++i) {
      Py_INCREF(items[i]);
      out.push(items[i]);
    }
    return;
  }
  PyObject* iterator = PyObject_GetIter(result);
  if (!iterator) return function_failed(gil, item, "error calling `flat_map` mapper");
  const Held owned_iterator(gil, iterator);
  while (PyObject* each = PyIter_Next(iterator)) out.push(each);
  if (PyErr_Occurred()) function_failed(gil, item, "error calling `flat_map` mapper");
}

void InspectStep::run(const Gil& gil, Batch& in, Batch& out) {
  PyObject* function = function_.get();
  for (std::size_t i = 0; i < in.size(); ++i) {
    PyObject* item = in.at(i);
    PyObject* result = call_one(gil, function, item);
    if (!result) {
      function_failed(gil, item, "error calling `inspect` inspector");
      continue;
    }
    Py_DECREF(result);
    out.push(in.take(i));
  }
}

void InspectNumberStep::run(const Gil& gil, Batch& in, Batch& out) {
  if (in.empty()) return;
  const Held number(gil, PyLong_FromUnsignedLongLong(number_));
  PyObject* function = function_.get();
  for (std::size_t i = 0; i < in.size(); ++i) {
    PyObject* item = in.at(i);
    PyObject* result = order_ == Order::kNumberFirst ? call_two(gil, function, number.get(), item)
                                                     : call_two(gil, function, item, number.get());
    if (!result) {
      function_failed(gil, item, what_);
      continue;
    }
    Py_DECREF(result);
    out.push(in.take(i));
  }
}

}  // namespace machida::flow
