// The engine as a CPython extension module, `_machida`: the same rooms as the server, driven from
// Python. For `wallaroo.testing`; user code should use that.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embed/error.h"
#include "embed/object.h"
#include "embed/value.h"
#include "server/base/crash_point.h"
#include "server/config/configuration.h"
#include "server/flow/unknown_keys.h"
#include "server/flow_module.h"
#include "server/kafka_module.h"
#include "server/plan/describe.h"
#include "server/plan/mistakes.h"
#include "server/plan/sink_sections.h"
#include "server/plan/topology_reader.h"
#include "server/step_trace.h"
#include "server/window_trace.h"
#include "server/worker/in_process_workers.h"

namespace {

using namespace machida;
using embed::Gil;
using embed::Object;

struct ModuleState {
  PyObject* plan_error;
};

ModuleState& state_of(PyObject* module) {
  return *static_cast<ModuleState*>(PyModule_GetState(module));
}

// A C++ exception on its way back to Python. Always returns null.
PyObject* raise_plan_error(const Gil& gil, PyObject* module, const plan::PlanError& error) {
  std::vector<Object> texts;
  for (const std::string& mistake : error.mistakes())
    texts.push_back(embed::make_str(gil, mistake));
  const Object list = embed::make_list(gil, std::move(texts));
  PyErr_SetObject(state_of(module).plan_error, list.get());
  return nullptr;
}

template <class Body>
PyObject* guarded(PyObject* module, Body&& body) {
  const embed::HeldGil gil;
  try {
    return body(gil).release();
  } catch (const plan::PlanError& error) {
    return raise_plan_error(gil, module, error);
  } catch (const embed::SystemExit& exit) {
    embed::set_again(gil, exit);
  } catch (const embed::PythonError& error) {
    PyErr_SetString(PyExc_RuntimeError, error.traceback().c_str());
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_ValueError, error.what());
  }
  return nullptr;
}

struct RunOptions {
  std::size_t frame_bytes_max = 16u << 20;
  worker::UnknownKeyPolicy unknown_keys = worker::UnknownKeyPolicy::kDrop;
  std::uint32_t workers = 1;
};

RunOptions read_options(const Gil& gil, const Object& dict) {
  RunOptions options;
  if (PyObject* bytes = PyDict_GetItemString(dict.get(), "max_frame_bytes"))
    options.frame_bytes_max =
        static_cast<std::size_t>(embed::integer(gil, Object::borrow(gil, bytes)));
  if (PyObject* word = PyDict_GetItemString(dict.get(), "unknown_keys")) {
    const std::string policy = embed::str(gil, Object::borrow(gil, word));
    if (policy != "drop" && policy != "create")
      throw std::invalid_argument("unknown_keys must be 'drop' or 'create', not '" + policy + "'");
    if (policy == "create") options.unknown_keys = worker::UnknownKeyPolicy::kCreate;
  }
  if (PyObject* workers = PyDict_GetItemString(dict.get(), "workers"))
    options.workers = static_cast<std::uint32_t>(embed::integer(gil, Object::borrow(gil, workers)));
  return options;
}

// The bytes of a feed; None, a tombstone, is nothing.
std::vector<std::optional<std::string_view>> frame_items(const Gil& gil,
                                                         const std::vector<Object>& values) {
  std::vector<std::optional<std::string_view>> views;
  for (const Object& value : values) {
    if (!embed::is_bytes(value) && !embed::is_none(value))
      throw std::invalid_argument("a feed of frames takes bytes, got " +
                                  embed::repr(gil, value, 200));
    views.push_back(embed::bytes_view(gil, value.get()));
  }
  return views;
}

std::vector<std::string_view> bytes_items(const Gil& gil, const std::vector<Object>& values) {
  std::vector<std::string_view> views;
  for (const Object& value : values) {
    if (!embed::is_bytes(value))
      throw std::invalid_argument("a stream takes bytes, got " + embed::repr(gil, value, 200));
    views.push_back(*embed::bytes_view(gil, value.get()));
  }
  return views;
}

void feed(const Gil& gil, worker::InProcess& run, const Object& entry) {
  const std::vector<Object> parts = embed::items(gil, entry);
  if (parts.size() != 3) throw std::invalid_argument("a feed is (pipeline, kind, values)");
  const std::string name = embed::str(gil, parts[0]), kind = embed::str(gil, parts[1]);
  const std::size_t pipeline = run.pipeline_named(name);
  if (pipeline == std::string::npos)
    throw std::invalid_argument("the application has no pipeline '" + name + "'");
  std::vector<Object> values = embed::items(gil, parts[2]);
  if (kind == "items") return run.feed_records(gil, pipeline, std::move(values));
  if (kind == "frames") return run.feed_frames(gil, pipeline, frame_items(gil, values));
  if (kind != "stream")
    throw std::invalid_argument("a feed's kind is 'frames', 'stream' or 'items', not '" + kind +
                                "'");
  const std::string wrong = run.feed_stream(gil, pipeline, bytes_items(gil, values));
  if (!wrong.empty()) throw std::invalid_argument("pipeline '" + name + "': " + wrong);
}

// bytes, (value, key, partition) for a message, or the record itself.
Object output_object(const Gil& gil, const worker::Output& output) {
  if (output.record) return output.record.clone(gil);
  Object value = embed::make_bytes(gil, output.value);
  if (!output.is_message) return value;
  const Object key = output.key ? embed::make_bytes(gil, *output.key) : embed::none(gil);
  const Object partition =
      output.partition ? Object::steal(gil, PyLong_FromLong(*output.partition)) : embed::none(gil);
  return Object::steal(gil, PyTuple_Pack(3, value.get(), key.get(), partition.get()));
}

Object sinks_of(const Gil& gil, const plan::Plan& plan, const worker::InProcessWorkers& runs) {
  Object list = Object::steal(gil, PyList_New(0));
  for (std::size_t p = 0; p < plan.pipelines.size(); ++p)
    for (std::size_t s = 0; s < plan.pipelines[p].sinks.size(); ++s) {
      std::vector<Object> outputs;
      for (const auto& run : runs.workers())
        for (const worker::Output& output : run->outputs(p, s))
          outputs.push_back(output_object(gil, output));
      const Object received = embed::make_list(gil, std::move(outputs));
      const Object row =
          Object::steal(gil, Py_BuildValue("(snO)", plan.pipelines[p].name.c_str(),
                                           static_cast<Py_ssize_t>(s), received.get()));
      PyList_Append(list.get(), row.get());
    }
  return list;
}

Object dead_letters_of(const Gil& gil, const worker::InProcessWorkers& runs) {
  Object list = Object::steal(gil, PyList_New(0));
  for (const auto& run : runs.workers())
    for (const worker::DeadLetter& letter : run->dead_letters()) {
      const Object row = Object::steal(
          gil, Py_BuildValue("(ssssO)", letter.place.pipeline.c_str(), letter.place.step.c_str(),
                             letter.error.c_str(), letter.traceback.c_str(), letter.input.get()));
      PyList_Append(list.get(), row.get());
    }
  return list;
}

// {state name: {key: state}}; each worker has the states of its keys.
Object states_of(const Gil& gil, const worker::InProcessWorkers& runs) {
  Object dict = Object::steal(gil, PyDict_New());
  for (const auto& run : runs.workers())
    for (const auto& table : run->assembly().states()) {
      const Object states = table->snapshot(gil);
      PyObject* all = PyDict_GetItemString(dict.get(), table->name().c_str());
      const int failed =
          all ? PyDict_Update(all, states.get())
              : PyDict_SetItemString(dict.get(), table->name().c_str(), states.get());
      if (failed) embed::throw_pending(gil);
    }
  return dict;
}

Object unknown_keys_of(const Gil& gil, const worker::InProcessWorkers& runs) {
  std::map<std::pair<std::string, std::string>, std::uint64_t> counts;
  for (const auto& run : runs.workers())
    run->metrics().each(
        [&counts](const std::string& name, const metrics::Labels& labels, std::uint64_t value) {
          if (name == flow::UnknownKeys::kCounter && value > 0)
            counts[{labels[0].second, labels[1].second}] += value;
        });
  Object dict = Object::steal(gil, PyDict_New());
  for (const auto& [place, count] : counts) {
    const Object key =
        Object::steal(gil, Py_BuildValue("(ss)", place.first.c_str(), place.second.c_str()));
    const Object number = Object::steal(gil, PyLong_FromUnsignedLongLong(count));
    PyDict_SetItem(dict.get(), key.get(), number.get());
  }
  return dict;
}

PyObject* module_run(PyObject* module, PyObject* args) {
  PyObject *topology = nullptr, *feeds = nullptr, *options = nullptr;
  if (!PyArg_ParseTuple(args, "OOO!:run", &topology, &feeds, &PyDict_Type, &options))
    return nullptr;
  return guarded(module, [&](const Gil& gil) {
    const RunOptions wanted = read_options(gil, Object::borrow(gil, options));
    const plan::Plan plan = plan::read_topology(gil, Object::borrow(gil, topology));
    worker::InProcessWorkers run(gil, plan, wanted.unknown_keys, wanted.frame_bytes_max,
                                 wanted.workers);
    for (const Object& entry : embed::items(gil, Object::borrow(gil, feeds))) {
      feed(gil, run.next(), entry);
      run.exchange(gil);
    }
    run.end(gil);
    return Object::steal(
        gil,
        Py_BuildValue("{sNsNsNsN}", "sinks", sinks_of(gil, plan, run).release(), "dead_letters",
                      dead_letters_of(gil, run).release(), "states", states_of(gil, run).release(),
                      "unknown_keys", unknown_keys_of(gil, run).release()));
  });
}

PyObject* module_describe(PyObject* module, PyObject* topology) {
  return guarded(module, [&](const Gil& gil) {
    const plan::Plan plan = plan::read_topology(gil, Object::borrow(gil, topology));
    return embed::make_str(gil, plan::describe_json(gil, plan));
  });
}

// The sections of a configuration file for (sink, where it is used), as JSON.
PyObject* module_sink_sections(PyObject* module, PyObject* args) {
  const char* file = nullptr;
  PyObject* sinks = nullptr;
  if (!PyArg_ParseTuple(args, "sO!:sink_sections", &file, &PyList_Type, &sinks)) return nullptr;
  return guarded(module, [&](const Gil& gil) {
    config::Configuration config(file, [](const std::string& name) -> std::optional<std::string> {
      const char* value = std::getenv(name.c_str());
      if (!value) return std::nullopt;
      return value;
    });
    std::vector<plan::StorageSinkSpec> specs;
    std::vector<std::string> places;
    for (const Object& pair : embed::items(gil, Object::borrow(gil, sinks))) {
      std::vector<Object> parts = embed::items(gil, pair);
      const std::string name = embed::str(gil, *embed::find_attribute(gil, parts[0], "name"));
      places.push_back(embed::str(gil, parts[1]));
      specs.push_back({std::move(parts[0]), name, ""});
      specs.back().type = embed::type_name(specs.back().sink);
    }
    std::vector<plan::UsedSink> used;
    for (std::size_t i = 0; i < specs.size(); ++i) used.push_back({specs[i], places[i]});
    plan::check_sink_sections(gil, used, config);
    if (const auto mistakes = config.mistakes(); !mistakes.empty()) throw plan::PlanError(mistakes);
    return embed::make_str(gil, config::to_json(config.sinks()));
  });
}

PyObject* module_crash_points(PyObject* module, PyObject*) {
  return guarded(module, [](const Gil& gil) {
    std::vector<Object> names;
    for (const std::string_view name : crash_point_names())
      names.push_back(embed::make_str(gil, name));
    return embed::make_list(gil, std::move(names));
  });
}

int module_exec(PyObject* module) {
  PyObject* error = PyErr_NewExceptionWithDoc(
      "_machida.PlanError", "The topology can't be run; args[0] is the list of mistakes.",
      PyExc_ValueError, nullptr);
  if (!error) return -1;
  state_of(module).plan_error = error;
  Py_INCREF(error);
  if (PyModule_AddObject(module, "PlanError", error) < 0) return -1;
  return add_kafka_types(module);
}

int module_traverse(PyObject* module, visitproc visit, void* arg) {
  Py_VISIT(state_of(module).plan_error);
  return 0;
}

int module_clear(PyObject* module) {
  Py_CLEAR(state_of(module).plan_error);
  return 0;
}

PyMethodDef kMethods[] = {
    {"run", module_run, METH_VARARGS,
     "run(topology: list, feeds: list[tuple[str, str, list]], options: dict) -> dict\n\n"
     "Runs the topology in this process. A feed is (pipeline name, 'frames' | 'stream' | 'items',\n"
     "values). Returns sinks, dead_letters, states and unknown_keys. Raises PlanError for a wrong\n"
     "topology, ValueError for a wrong feed, RuntimeError when a state's constructor raises."},
    {"describe", module_describe, METH_O,
     "describe(topology: list) -> str\n\nThe plan as JSON, as `machida --check=json` prints it."},
    {"sink_sections", module_sink_sections, METH_VARARGS,
     "sink_sections(file: str, sinks: list[tuple[sink, str]]) -> str\n\n"
     "The sections `streaming.sinks` of a configuration file as JSON, checked for the storage\n"
     "sinks, each with where it is used. Raises PlanError with every mistake, ValueError when the\n"
     "file can't be read."},
    {"crash_points", module_crash_points, METH_NOARGS,
     "crash_points() -> list[str]\n\nWhere MACHIDA_CRASH_AT can kill the server; for its tests."},
    {"run_flow", run_flow, METH_VARARGS, kRunFlowDoc},
    {"init_db_dir", init_db_dir, METH_VARARGS, kInitDbDirDoc},
    {"die_with_parent", die_with_parent, METH_VARARGS, kDieWithParentDoc},
    {"stop_asked", stop_asked, METH_NOARGS, kStopAskedDoc},
    {"step_trace", step_trace, METH_VARARGS, kStepTraceDoc},
    {"kafka_partitions", kafka_partitions, METH_VARARGS, kKafkaPartitionsDoc},
    {"window_trace", window_trace, METH_VARARGS, kWindowTraceDoc},
    {nullptr, nullptr, 0, nullptr}};

PyModuleDef_Slot kSlots[] = {{Py_mod_exec, reinterpret_cast<void*>(module_exec)}, {0, nullptr}};

PyModuleDef kModule = {
    PyModuleDef_HEAD_INIT, "_machida",   "The machida engine in process; see wallaroo.testing.",
    sizeof(ModuleState),   kMethods,     kSlots,
    module_traverse,       module_clear, nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__machida() { return PyModuleDef_Init(&kModule); }
