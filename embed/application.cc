#include "embed/application.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "embed/error.h"
#include "embed/value.h"

namespace machida::embed {
namespace {

// The package's own error says what is wrong and where; any other needs its traceback.
std::string told_by(const PythonError& error) {
  if (error.type() == "WallarooParameterError") return error.message() + "\n";
  return error.traceback();
}

// What to do about a mistake, from the package's function of that name; "" when it has nothing.
std::string hint(const Gil& gil, const char* function, const Object& about) {
  try {
    return str(gil, call(gil, imported(gil, "wallaroo.hints", function), about));
  } catch (const PythonError&) {
    return "";  // the mistake itself is told all the same
  }
}

Object import_module(const Gil& gil, const std::string& name) {
  try {
    const Object text = make_str(gil, name);
    return Object::steal(gil, PyImport_Import(text.get()));
  } catch (const PythonError& error) {
    std::string message = told_by(error) + "Could not load module '" + name + "'";
    const bool is_path = name.find('/') != std::string::npos;  // told of by its first part
    if (error.message().starts_with("No module named '" + (is_path ? "" : name + "'")))
      message =
          "No module named '" + name + "': " + hint(gil, "missing_module", make_str(gil, name));
    throw ApplicationError(message);
  }
}

Object call_setup(const Gil& gil, const Object& setup, const std::vector<std::string>& args) {
  std::vector<Object> texts;
  for (const std::string& arg : args) texts.push_back(make_str(gil, arg));
  const Object list = make_list(gil, std::move(texts));
  try {
    return call(gil, setup, list);
  } catch (const PythonError& error) {
    throw ApplicationError(told_by(error) + "Something went wrong while building the application");
  }
}

}  // namespace

Object load_topology(const Gil& gil, const std::string& module_name,
                     const std::vector<std::string>& args) {
  const Object module = import_module(gil, module_name);
  const std::optional<Object> setup = find_attribute(gil, module, "application_setup");
  if (!setup || !is_callable(*setup))
    throw ApplicationError(
        "module '" + module_name +
        "' has no function application_setup(args): " + hint(gil, "missing_setup", module));
  Object topology = call_setup(gil, *setup, args);
  if (is_list(topology)) return topology;
  std::string message = "application_setup(args) of module '" + module_name + "' returned " +
                        repr(gil, topology, 200) + ", it must return a list of topology tuples";
  if (is_none(topology) || find_attribute(gil, topology, "build"))
    message += ": end it with `return ab.build()`";
  throw ApplicationError(message);
}

}  // namespace machida::embed
