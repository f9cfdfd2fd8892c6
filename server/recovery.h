// The command `machida recovery ls|show|verify DIR`: what a recovery directory holds, for people.
// Nothing is unpickled, so it is safe to look at any directory, and a server may be running on it.
#pragma once

#include <string>

namespace machida {

struct RecoveryReport {
  std::string text;   // for standard output
  std::string error;  // for standard error
  int status = 0;     // 2: a mistake on the command line; 4: it can't be trusted
};

// argv[1] is "recovery".
RecoveryReport recovery_report(int argc, const char* const* argv);

int recovery_main(int argc, const char* const* argv);

}  // namespace machida
