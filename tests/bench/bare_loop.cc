// The speed of light: a C loop that calls an application's decoder, computations, partition
// function and encoder on the same frames, with no server around it. One record at a time, as such
// a loop is usually written. Prints records per second and outputs per pass.
//
//   bare_loop PACKAGE_DIR APP_DIR MODULE FRAMES_FILE SECONDS
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

struct Step {
  PyObject* compute = nullptr;
  PyObject* partition = nullptr;  // with it, a state computation
  PyObject* states = nullptr;     // dict: key -> state
  bool many = false;
};

struct App {
  PyObject* decode = nullptr;
  std::vector<Step> steps;
  PyObject* encode = nullptr;
};

[[noreturn]] void die() {
  PyErr_Print();
  std::exit(1);
}

PyObject* must(PyObject* object) {
  if (!object) die();
  return object;
}

PyObject* call(PyObject* function, PyObject* a, PyObject* b = nullptr) {
  PyObject* arguments[] = {nullptr, a, b};
  return must(PyObject_Vectorcall(function, arguments + 1,
                                  (b ? 2 : 1) | PY_VECTORCALL_ARGUMENTS_OFFSET, nullptr));
}

PyObject* attribute(PyObject* object, const char* name) {
  return must(PyObject_GetAttrString(object, name));
}

PyObject* make_states(PyObject* builder, PyObject* keys) {
  PyObject* states = PyDict_New();
  for (Py_ssize_t i = 0; i < PyList_Size(keys); ++i) {
    PyObject* state = must(PyObject_CallMethod(builder, "____wallaroo_build____", nullptr));
    PyDict_SetItem(states, PyList_GetItem(keys, i), state);
  }
  return states;
}

App load(PyObject* topology) {
  App app;
  for (Py_ssize_t i = 0; i < PyList_Size(topology); ++i) {
    PyObject* tuple = PyList_GetItem(topology, i);
    const std::string action = PyUnicode_AsUTF8(PyTuple_GetItem(tuple, 0));
    const auto part = [tuple](Py_ssize_t at) { return must(PyTuple_GetItem(tuple, at)); };
    if (action == "new_pipeline") app.decode = attribute(PyTuple_GetItem(part(2), 3), "decode");
    if (action == "to_sink") app.encode = attribute(PyTuple_GetItem(part(1), 3), "encode");
    if (action != "to" && action != "to_state_partition") continue;
    Step step;
    step.many = PyObject_HasAttrString(part(1), "compute_multi");
    step.compute = attribute(part(1), step.many ? "compute_multi" : "compute");
    if (action == "to_state_partition") {
      step.partition = attribute(part(4), "partition");
      step.states = make_states(part(2), part(5));
    }
    app.steps.push_back(step);
  }
  return app;
}

// Runs `record` (a new reference) from step `at` on, depth first.
void run(const App& app, std::size_t at, PyObject* record, std::string& out) {
  if (at == app.steps.size()) {
    PyObject* bytes = call(app.encode, record);
    out.append(PyBytes_AS_STRING(bytes), static_cast<std::size_t>(PyBytes_GET_SIZE(bytes)));
    Py_DECREF(bytes);
    Py_DECREF(record);
    return;
  }
  const Step& step = app.steps[at];
  PyObject* result = nullptr;
  if (step.partition) {
    PyObject* key = call(step.partition, record);
    PyObject* state = PyDict_GetItemWithError(step.states, key);
    Py_DECREF(key);
    if (!state) {
      Py_DECREF(record);
      return;
    }
    PyObject* pair = call(step.compute, record, state);
    result = PyTuple_GET_ITEM(pair, 0);
    Py_INCREF(result);
    Py_DECREF(pair);
  } else {
    result = call(step.compute, record);
  }
  Py_DECREF(record);
  if (step.many) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(result); ++i) {
      PyObject* item = PyList_GET_ITEM(result, i);
      Py_INCREF(item);
      run(app, at + 1, item, out);
    }
  } else if (result != Py_None) {
    Py_INCREF(result);
    run(app, at + 1, result, out);
  }
  Py_DECREF(result);
}

std::size_t one_pass(const App& app, const std::string& frames, std::string& out) {
  std::size_t records = 0;
  for (std::size_t at = 0; at + 4 <= frames.size(); ++records) {
    const auto* h = reinterpret_cast<const unsigned char*>(frames.data() + at);
    const std::size_t size = static_cast<std::size_t>(h[0]) << 24 | h[1] << 16 | h[2] << 8 | h[3];
    PyObject* bytes =
        PyBytes_FromStringAndSize(frames.data() + at + 4, static_cast<Py_ssize_t>(size));
    PyObject* record = call(app.decode, bytes);
    Py_DECREF(bytes);
    run(app, 0, record, out);
    if (out.size() > 65536) out.clear();
    at += 4 + size;
  }
  return records;
}

PyObject* topology_of(char** argv) {
  PyObject* path = PySys_GetObject("path");
  for (int i = 1; i <= 2; ++i) PyList_Insert(path, 0, PyUnicode_FromString(argv[i]));
  PyObject* module = must(PyImport_ImportModule(argv[3]));
  PyObject* args =
      Py_BuildValue("[sssss]", "bare_loop", "--in", "127.0.0.1:1", "--out", "127.0.0.1:2");
  return must(PyObject_CallMethod(module, "application_setup", "O", args));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  std::ifstream file(argv[4], std::ios::binary);
  const std::string frames((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
  const double seconds = std::atof(argv[5]);
  Py_Initialize();
  const App app = load(topology_of(argv));
  std::string out;
  one_pass(app, frames, out);
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  std::size_t records = 0;
  double took = 0;
  do {
    records += one_pass(app, frames, out);
    took = std::chrono::duration<double>(Clock::now() - start).count();
  } while (took < seconds);
  std::printf("%.0f\n", static_cast<double>(records) / took);
}
