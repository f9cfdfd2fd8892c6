#include "server/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace machida {

void check_failed(const char* expression, const char* why, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: invariant broken: %s (%s)\n", file, line, why, expression);
  std::abort();
}

}  // namespace machida
