// The embedded CPython: from start to end of the process, on the thread that made it.
// After construction the lock is free: take a GilLock to use Python.
#pragma once

#include <string>
#include <vector>

#include "embed/gil.h"

struct _object;

namespace machida::embed {

// A module that is linked into the program.
struct BuiltIn {
  const char* name;    // lives as long as the process
  _object* (*make)();  // its PyInit_ function
};

struct InterpreterOptions {
  std::string program;             // path of the python whose environment to use; empty: from PATH
  std::vector<std::string> argv;   // becomes sys.argv
  std::vector<std::string> paths;  // put in front of sys.path, in this order
  // Of this package the one in `home` is imported, whatever the paths hold. Empty: no such one.
  std::string own_package, home;
  std::vector<BuiltIn> modules;  // that `import` finds in this program
};

class Interpreter {
 public:
  // Throws std::runtime_error when Python can't start.
  explicit Interpreter(const InterpreterOptions& options);
  // Runs atexit functions, flushes sys.stdout, waits for non-daemon threads.
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  // "Python 3.11.2 in /usr": for the log.
  std::string describe(const Gil&) const;

 private:
  void* main_thread_;
};

}  // namespace machida::embed
