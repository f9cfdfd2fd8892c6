#include "server/flow_module.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "embed/error.h"
#include "embed/object.h"
#include "embed/pickling.h"
#include "embed/value.h"
#include "server/base/log.h"
#include "server/base/system_time.h"
#include "server/flow/first_failure.h"
#include "server/metrics/counter.h"
#include "server/plan/dataflow_reader.h"
#include "server/plan/mistakes.h"
#include "server/store/recovery_parts.h"
#include "server/uv/child.h"
#include "server/uv/stop_line.h"
#include "server/uv/stop_signal.h"
#include "server/worker/flow_run.h"
#include "server/worker/flow_summary.h"
#include "server/worker/stored_flow.h"

namespace machida {
namespace {

using embed::Gil;
using embed::Object;
using worker::FlowKeeping;
using worker::FlowRun;

double seconds(const Gil& gil, PyObject* options, const char* name, double otherwise) {
  PyObject* value = PyDict_GetItemString(options, name);
  if (!value) return otherwise;
  const double number = PyFloat_AsDouble(value);
  if (PyErr_Occurred()) embed::throw_pending(gil);
  return number;
}

bool on_main_thread(const Gil& gil) {
  const Object current = embed::call(gil, embed::imported(gil, "threading", "current_thread"));
  const Object main = embed::call(gil, embed::imported(gil, "threading", "main_thread"));
  return embed::is_same(current, main);
}

int number(const Gil& gil, PyObject* value) {
  return static_cast<int>(embed::integer(gil, Object::borrow(gil, value)));
}

worker::FlowOptions read_options(const Gil& gil, PyObject* dict) {
  using Signals = worker::FlowOptions::Signals;
  worker::FlowOptions options;
  options.epoch_interval_us =
      static_cast<std::int64_t>(seconds(gil, dict, "epoch_interval", 10.0) * 1e6);
  if (PyObject* workers = PyDict_GetItemString(dict, "workers")) {
    if (number(gil, workers) < 1) throw std::invalid_argument("workers must be 1 or more");
    options.seats.here = static_cast<std::uint32_t>(number(gil, workers));
  }
  if (PyObject* links = PyDict_GetItemString(dict, "links")) {
    for (const Object& link : embed::items(gil, Object::borrow(gil, links)))
      options.links.push_back(number(gil, link.get()));
    options.seats.processes = static_cast<std::uint32_t>(options.links.size());
    const auto own = std::find(options.links.begin(), options.links.end(), -1);
    options.seats.process = static_cast<std::uint32_t>(own - options.links.begin());
    if (own == options.links.end()) throw std::invalid_argument("one link must be -1: the own one");
  }
  PyObject* watched = PyDict_GetItemString(dict, "watched");
  const bool is_watched = watched && watched == Py_True;
  if (is_watched) log::set_worker(options.seats.process);
  options.on_main_thread = on_main_thread(gil);
  // A run within another one's user code leaves them to that.
  if (options.on_main_thread && !uv::StopSignal::exists())
    options.signals = is_watched ? Signals::kDrain : Signals::kDrainThenEnd;
  options.stop_signals = {SIGTERM, SIGINT};
  if (PyObject* handled = PyDict_GetItemString(dict, "handled_signals"))
    for (const Object& each : embed::items(gil, Object::borrow(gil, handled)))
      std::erase(options.stop_signals, number(gil, each.get()));
  return options;
}

embed::Pickling snapshot_functions(const Gil& gil, PyObject* options) {
  PyObject* ser = PyDict_GetItemString(options, "snapshot_ser");
  PyObject* de = PyDict_GetItemString(options, "snapshot_de");
  if (!ser || !de) return embed::Pickling(gil);
  return embed::Pickling::of_functions(Object::borrow(gil, ser), Object::borrow(gil, de));
}

// Null: nothing is to be kept.
std::unique_ptr<worker::StoredFlow> read_keeper(const Gil& gil, PyObject* options,
                                                const SystemTime& time) {
  PyObject* directory = PyDict_GetItemString(options, "recovery_dir");
  if (!directory) return nullptr;
  return std::make_unique<worker::StoredFlow>(
      embed::str(gil, Object::borrow(gil, directory)),
      static_cast<std::int64_t>(seconds(gil, options, "backup_interval", 0) * 1e6), time);
}

// The class in wallaroo.flows.recovery with the text; sets the exception.
void raise_parts_error(const Gil& gil, const store::PartsError& error) {
  using Kind = store::PartsError::Kind;
  const char* name = error.kind() == Kind::kNone      ? "NoPartitionsError"
                     : error.kind() == Kind::kMissing ? "MissingPartitionsError"
                                                      : "InconsistentPartitionsError";
  const Object type = embed::imported(gil, "wallaroo.flows.recovery", name);
  PyErr_SetString(type.get(), error.what());
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

// The run's result as Python sees it; null with an exception set.
PyObject* result_of(const FlowRun& run, FlowRun::End end) {
  if (end != FlowRun::End::kDrained) Py_RETURN_NONE;
  if (run.signal() != SIGINT) return PyUnicode_FromString("drained");
  PyErr_SetString(PyExc_KeyboardInterrupt, "interrupted: what was read has gone through");
  return nullptr;
}

PyObject* run_flow_with(const Gil& gil, PyObject* flow, PyObject* options,
                        flow::FirstFailure& failures) {
  const plan::Dataflow dataflow = plan::read_dataflow(gil, Object::borrow(gil, flow));
  metrics::Registry metrics;
  const WallTime time;
  worker::FlowOptions read = read_options(gil, options);
  // Process 0 stores what all remember.
  std::unique_ptr<worker::StoredFlow> keeper;
  if (read.seats.process == 0) keeper = read_keeper(gil, options, time);
  std::optional<FlowKeeping::How> keeping;
  if (PyDict_GetItemString(options, "recovery_dir"))
    keeping.emplace(keeper.get(), snapshot_functions(gil, options));
  std::optional<uv::StopLine> stop_line;
  if (PyObject* line = PyDict_GetItemString(options, "stop_line"))
    stop_line.emplace(uv::Descriptor(number(gil, line)), read.links);
  FlowRun run(gil, dataflow, std::move(read), failures, metrics, std::move(keeping));
  const bool tells = PyDict_GetItemString(options, "summary") != nullptr;
  FlowRun::End end{};
  try {
    const embed::GilRelease released;
    end = run.run();
  } catch (...) {
    if (tells) worker::log_flow_summary(dataflow, metrics, worker::FlowFailed::kYes);
    throw;
  }
  if (tells) worker::log_flow_summary(dataflow, metrics, worker::FlowFailed::kNo);
  return result_of(run, end);
}

}  // namespace

PyObject* run_flow(PyObject*, PyObject* args) {
  PyObject *flow = nullptr, *options = nullptr;
  if (!PyArg_ParseTuple(args, "OO!:run_flow", &flow, &PyDict_Type, &options)) return nullptr;
  const embed::HeldGil gil;
  uv::open_standard_files();
  flow::FirstFailure failures;
  try {
    return run_flow_with(gil, flow, options, failures);
  } catch (const flow::StopOnError&) {
    failures.raise(gil);
  } catch (const worker::PeerFailed& error) {
    const Object type = embed::imported(gil, "wallaroo.flows.links", "PeerFailedError");
    PyErr_SetString(type.get(), error.what());
  } catch (const store::PartsError& error) {
    raise_parts_error(gil, error);
  } catch (const plan::PlanError& error) {
    PyErr_SetString(PyExc_ValueError, joined(error.mistakes()).c_str());
  } catch (const embed::SystemExit& exit) {
    embed::set_again(gil, exit);
  } catch (const embed::PythonError& error) {
    PyErr_SetString(PyExc_RuntimeError, error.traceback().c_str());
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

PyObject* init_db_dir(PyObject*, PyObject* args) {
  const char* directory = nullptr;
  unsigned int count = 0;
  if (!PyArg_ParseTuple(args, "sI:init_db_dir", &directory, &count)) return nullptr;
  try {
    store::RecoveryParts::create(directory, count);
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_OSError, error.what());
    return nullptr;
  }
  Py_RETURN_NONE;
}

PyObject* die_with_parent(PyObject*, PyObject* args) {
  int parent = 0;
  if (!PyArg_ParseTuple(args, "i:die_with_parent", &parent)) return nullptr;
  uv::die_with_parent(parent);
  Py_RETURN_NONE;
}

PyObject* stop_asked(PyObject*, PyObject*) { return PyBool_FromLong(uv::stop_asked()); }

}  // namespace machida
