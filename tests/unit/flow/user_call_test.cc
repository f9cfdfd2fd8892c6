#define PY_SSIZE_T_CLEAN
#include "server/flow/user_call.h"

#include <Python.h>
#include <doctest/doctest.h>

#include "embed/error.h"
#include "embed/value.h"
#include "tests/unit/python.h"

using namespace machida;

TEST_CASE("a function is named with its file and line, also behind a method or a partial") {
  const embed::GilLock gil;
  const auto described = [&gil](const std::string& source) {
    return flow::describe_function(gil, testing::python(gil, source).get());
  };
  CHECK(described("\ndef it(x): pass").starts_with("it ("));
  CHECK(described("\ndef it(x): pass").ends_with(":2)"));
  CHECK(described("class A:\n  def f(self): pass\nit = A().f").ends_with(":2)"));
  CHECK(described("import functools\nit = functools.partial(lambda x: 1)").ends_with(":2)"));
  CHECK(described("it = int") == "int");
  CHECK(described("class A:\n  def __repr__(self): return 'an A'\nit = A()") == "an A");
}

TEST_CASE("a failure says what was called, in which step, on which item") {
  const embed::GilLock gil;
  const embed::Object divide = testing::python(gil, "def it(x): 1 // x");
  const embed::Object item = testing::python(gil, "it = ('k', 0)");
  PyErr_SetString(PyExc_KeyError, "lost");
  flow::note_user_call(gil, "error calling `map` mapper", {"p", "half"}, divide.get(), item.get());
  try {
    embed::throw_pending(gil);
  } catch (const embed::PythonError& error) {
    CHECK(error.type() == "KeyError");
    CHECK(error.traceback().find("\nerror calling `map` mapper it (") != std::string::npos);
    CHECK(error.traceback().find(":1) in step 'half' on ('k', 0)\n") != std::string::npos);
  }
}
