#include "embed/interpreter.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdexcept>

#include "embed/fork.h"
#include "embed/object.h"
#include "embed/value.h"

namespace machida::embed {
namespace {

void require(const PyStatus& status) {
  if (PyStatus_Exception(status))
    throw std::runtime_error(std::string("Python can't start: ") +
                             (status.err_msg ? status.err_msg : "unknown error"));
}

class Config {
 public:
  Config() { PyConfig_InitPythonConfig(&config_); }
  ~Config() { PyConfig_Clear(&config_); }
  Config(const Config&) = delete;
  Config& operator=(const Config&) = delete;
  PyConfig* operator->() { return &config_; }
  PyConfig* get() { return &config_; }

 private:
  PyConfig config_;
};

void put_in_front(const Gil& gil, const std::vector<std::string>& paths) {
  const Object path = Object::borrow(gil, PySys_GetObject("path"));
  Py_ssize_t at = 0;
  for (const std::string& entry : paths) {
    const Object text = make_str(gil, entry);
    if (PyList_Insert(path.get(), at++, text.get()) != 0)
      throw std::runtime_error("sys.path can't be changed");
  }
}

// A finder in front of all others, for one name.
constexpr const char* kOwnPackageFinder = R"(
import sys
from _frozen_importlib_external import PathFinder

class OwnPackageFinder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return PathFinder.find_spec(name, [home], target) if name == own_package else None

sys.meta_path.insert(0, OwnPackageFinder)
)";

void find_own_package_first(const Gil& gil, const std::string& name, const std::string& home) {
  const Object names = Object::steal(gil, PyDict_New());
  PyDict_SetItemString(names.get(), "own_package", make_str(gil, name).get());
  PyDict_SetItemString(names.get(), "home", make_str(gil, home).get());
  const Object done =
      Object::steal(gil, PyRun_String(kOwnPackageFinder, Py_file_input, names.get(), names.get()));
}

}  // namespace

Interpreter::Interpreter(const InterpreterOptions& options) {
  PyPreConfig before;
  PyPreConfig_InitPythonConfig(&before);
  before.utf8_mode = 1;
  before.parse_argv = 0;
  require(Py_PreInitialize(&before));
  Config config;
  config->parse_argv = 0;
  config->install_signal_handlers = 0;  // the loop owns signals
  config->buffered_stdio = 0;           // the application's prints appear at once
  config->faulthandler = 1;
  if (!options.program.empty())
    require(PyConfig_SetBytesString(config.get(), &config->program_name, options.program.c_str()));
  std::vector<char*> argv;
  for (const std::string& argument : options.argv)
    argv.push_back(const_cast<char*>(argument.c_str()));
  require(PyConfig_SetBytesArgv(config.get(), static_cast<Py_ssize_t>(argv.size()), argv.data()));
  for (const BuiltIn& module : options.modules)
    if (PyImport_AppendInittab(module.name, module.make) < 0)
      throw std::runtime_error(std::string("no room for the module ") + module.name);
  require(Py_InitializeFromConfig(config.get()));
  note_server_process();
  {
    const HeldGil gil;
    put_in_front(gil, options.paths);
    if (!options.own_package.empty())
      find_own_package_first(gil, options.own_package, options.home);
  }
  main_thread_ = PyEval_SaveThread();
}

Interpreter::~Interpreter() {
  PyEval_RestoreThread(static_cast<PyThreadState*>(main_thread_));
  Py_FinalizeEx();
}

std::string Interpreter::describe(const Gil& gil) const {
  std::string version = Py_GetVersion();
  const Object prefix = Object::borrow(gil, PySys_GetObject("prefix"));
  return "Python " + version.substr(0, version.find(' ')) + " in " + str(gil, prefix);
}

}  // namespace machida::embed
