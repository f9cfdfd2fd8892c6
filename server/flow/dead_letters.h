// Where a record goes that user code failed on: the one place that decides about such failures.
#pragma once

#include <stdexcept>
#include <string>

#include "embed/error.h"
#include "embed/gil.h"

struct _object;

namespace machida::flow {

// A step of a pipeline, as people name it. "decoder" and "encoder" are steps too.
struct Place {
  std::string pipeline;
  std::string step;
};

class DeadLetters {
 public:
  virtual ~DeadLetters() = default;

  // `input` (borrowed) is what the step was given. May throw StopOnError.
  virtual void add(const embed::Gil&, const Place& place, const embed::PythonError& error,
                   _object* input) = 0;

  // The exception that is set in the interpreter; a SystemExit is thrown on instead.
  virtual void add_pending(const embed::Gil& gil, const Place& place, _object* input);
};

// The policy says that the first failure ends the worker.
class StopOnError : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

}  // namespace machida::flow
