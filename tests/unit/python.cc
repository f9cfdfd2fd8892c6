#define PY_SSIZE_T_CLEAN
#include "tests/unit/python.h"

#include <Python.h>

namespace machida::testing {

embed::Object python(const embed::Gil& gil, const std::string& source, const char* name) {
  const embed::Object globals = embed::Object::steal(gil, PyDict_New());
  PyDict_SetItemString(globals.get(), "__builtins__", PyEval_GetBuiltins());
  embed::Object::steal(gil,
                       PyRun_String(source.c_str(), Py_file_input, globals.get(), globals.get()));
  return embed::Object::borrow(gil, PyDict_GetItemString(globals.get(), name));
}

}  // namespace machida::testing
