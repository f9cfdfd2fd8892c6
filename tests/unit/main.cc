// One Python interpreter for all unit tests; none of them sees the environment's.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "embed/interpreter.h"

int main(int argc, char** argv) {
  const machida::embed::Interpreter interpreter({});
  doctest::Context context(argc, argv);
  return context.run();
}
