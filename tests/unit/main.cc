// One Python interpreter for all unit tests, with the packages of the source tree. Tests start the
// same program in other roles.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "embed/interpreter.h"
#include "tests/unit/cluster/roles.h"

int main(int argc, char** argv) {
  int status = 0;
  if (machida::tests::play_role(argc, argv, status)) return status;
  const machida::embed::Interpreter interpreter({.paths = {MACHIDA_SOURCE_PYTHON}});
  doctest::Context context(argc, argv);
  return context.run();
}
