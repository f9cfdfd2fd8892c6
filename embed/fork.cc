#include "embed/fork.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <unistd.h>

namespace machida::embed {
namespace {

pid_t g_server = 0;

}  // namespace

void note_server_process() { g_server = ::getpid(); }

bool in_fork_of_server() noexcept { return g_server != 0 && g_server != ::getpid(); }

void end_fork(const Gil&, const std::string& text, int status) {
  if (!text.empty()) PySys_FormatStderr("%s\n", text.c_str());
  for (const char* name : {"stdout", "stderr"}) {
    PyObject* stream = PySys_GetObject(name);  // borrowed; null: the application has deleted it
    if (stream) Py_XDECREF(PyObject_CallMethod(stream, "flush", nullptr));
    PyErr_Clear();
  }
  ::_exit(status);
}

}  // namespace machida::embed
