// Invariants: what can only be false if this program is wrong. Broken ones abort loudly; a restart
// resumes from what is durable.
#pragma once

namespace machida {

[[noreturn]] void check_failed(const char* expression, const char* why, const char* file, int line);

}  // namespace machida

#define MACHIDA_CHECK(expression, why) \
  ((expression) ? void() : ::machida::check_failed(#expression, why, __FILE__, __LINE__))
