// What calls of Python functions cost by themselves: a C loop makes them, over 128 arguments as a
// step does over the records of a batch, and drops what they return.
//
//   bare_calls DIRECTORY MODULE SECONDS
//
// The module has BARE, a dict {name: (function, [tuple of arguments, ...])}. Prints "NAME NS" for
// each: the processor's time for one call, of SECONDS of them.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace {

double cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

PyObject* must(PyObject* object) {
  if (object) return object;
  PyErr_Print();
  std::exit(1);
}

void call_with_each(PyObject* function, PyObject* argument_tuples) {
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(argument_tuples); ++i) {
    PyObject* tuple = PyList_GET_ITEM(argument_tuples, i);
    PyObject* arguments[4] = {};  // the first is room for a bound method's self
    const Py_ssize_t count = PyTuple_GET_SIZE(tuple);
    for (Py_ssize_t a = 0; a < count && a < 3; ++a) arguments[a + 1] = PyTuple_GET_ITEM(tuple, a);
    Py_DECREF(must(PyObject_Vectorcall(
        function, arguments + 1, static_cast<std::size_t>(count) | PY_VECTORCALL_ARGUMENTS_OFFSET,
        nullptr)));
  }
}

double one_call_ns(PyObject* function, PyObject* argument_tuples, double seconds) {
  const auto calls = static_cast<double>(PyList_GET_SIZE(argument_tuples));
  for (int warm_up = 0; warm_up < 100; ++warm_up) call_with_each(function, argument_tuples);
  double made = 0;
  const double began_ns = cpu_ns();
  do {
    for (int pass = 0; pass < 100; ++pass) call_with_each(function, argument_tuples);
    made += 100 * calls;
  } while (cpu_ns() - began_ns < seconds * 1e9);
  return (cpu_ns() - began_ns) / made;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  Py_Initialize();
  PyList_Insert(PySys_GetObject("path"), 0, must(PyUnicode_FromString(argv[1])));
  PyObject* bare = must(PyObject_GetAttrString(must(PyImport_ImportModule(argv[2])), "BARE"));
  PyObject *name = nullptr, *call = nullptr;
  for (Py_ssize_t at = 0; PyDict_Next(bare, &at, &name, &call);)
    std::printf(
        "%s %.2f\n", PyUnicode_AsUTF8(name),
        one_call_ns(PyTuple_GetItem(call, 0), PyTuple_GetItem(call, 1), std::atof(argv[3])));
}
