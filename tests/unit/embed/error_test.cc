#include "embed/error.h"

#include <doctest/doctest.h>

#include "embed/value.h"
#include "tests/unit/python.h"

using namespace machida;

namespace {

void raise(const embed::Gil& gil, const std::string& statement) {
  embed::call(gil, testing::python(gil, "def it():\n    " + statement));
}

int exit_status(const embed::Gil& gil, const std::string& argument) {
  try {
    raise(gil, "raise SystemExit" + argument);
  } catch (const embed::SystemExit& exit) {
    return exit.status();
  }
  return -1;
}

}  // namespace

TEST_CASE("a Python exception arrives with type, message and traceback") {
  const embed::GilLock gil;
  try {
    raise(gil, "raise KeyError('k')");
    FAIL("not reached");
  } catch (const embed::PythonError& error) {
    CHECK(error.type() == "KeyError");
    CHECK(std::string(error.what()) == "KeyError: 'k'");
    CHECK(error.traceback().starts_with("Traceback (most recent call last):"));
    CHECK(error.traceback().find("in it") != std::string::npos);
  }
}

TEST_CASE("an exception whose text has lone surrogates is told all the same") {
  const embed::GilLock gil;
  try {
    raise(gil, "raise ValueError('no file ' + chr(0xDC80))");
    FAIL("not reached");
  } catch (const embed::PythonError& error) {
    CHECK(std::string(error.what()) == R"(ValueError: no file \udc80)");
    CHECK(error.traceback().ends_with("ValueError: no file \\udc80\n"));
  }
}

TEST_CASE("sys.exit's argument becomes a status as in Python") {
  const embed::GilLock gil;
  CHECK(exit_status(gil, "()") == 0);
  CHECK(exit_status(gil, "(None)") == 0);
  CHECK(exit_status(gil, "(7)") == 7);
  CHECK(exit_status(gil, "('words')") == 1);
}
