// Python exceptions as C++ ones. They hold text only: safe to log, to store, to carry anywhere.
#pragma once

#include <stdexcept>
#include <string>

#include "embed/gil.h"

namespace machida::embed {

// User code raised.
class PythonError : public std::runtime_error {
 public:
  PythonError(std::string type, const std::string& message, std::string traceback)
      : std::runtime_error(message.empty() ? type : type + ": " + message),
        type_(std::move(type)),
        message_(message),
        traceback_(std::move(traceback)) {}

  const std::string& type() const noexcept { return type_; }            // "ValueError"
  const std::string& message() const noexcept { return message_; }      // str(exception)
  const std::string& traceback() const noexcept { return traceback_; }  // as Python prints it

 private:
  std::string type_, message_, traceback_;
};

// User code called sys.exit().
class SystemExit : public std::runtime_error {
 public:
  // `message`: a text that it was called with in place of a status, or "".
  SystemExit(int status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  int status() const noexcept { return status_; }  // what the process would have ended with

 private:
  int status_;
};

// Throws the exception that is set in the interpreter, and clears it there. In a process that user
// code has forked it ends that one instead.
[[noreturn]] void throw_pending(const Gil&);

// Sets SystemExit in the interpreter, with the text if there is one.
void set_again(const Gil&, const SystemExit& exit);

// The same as throw_pending if there is one.
void throw_if_pending(const Gil&);

// An error that no Python code raised, as if one had: same handling everywhere.
PythonError made_error(const std::string& type, const std::string& what);

// A TypeError about what user code returned.
PythonError wrong_result(const std::string& what);

}  // namespace machida::embed
