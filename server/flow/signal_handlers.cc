#include "server/flow/signal_handlers.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "embed/value.h"
#include "server/flow/call.h"

namespace machida::flow {
namespace {

using embed::Gil;

constexpr int kNobody = -1;

}  // namespace

SignalHandlers::SignalHandlers(const Gil& gil, DeadLetters& dead_letters)
    : dead_letters_(dead_letters),
      set_wakeup_fd_(embed::imported(gil, "_signal", "set_wakeup_fd")),
      quietly_(embed::Object::steal(gil, Py_BuildValue("{s:O}", "warn_on_full_buffer", Py_False))) {
  if (pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) != 0)
    throw std::runtime_error(std::string("no pipe for signals: ") + std::strerror(errno));
  const int before = exchange(gil, pipe_[1]);
  own_ = before == kNobody;
  if (!own_) exchange(gil, before);
}

SignalHandlers::~SignalHandlers() {
  const embed::GilLock gil;
  if (own_) {
    const int now = exchange(gil, kNobody);
    if (now != kNobody && now != pipe_[1]) exchange(gil, now);
  }
  close(pipe_[0]);
  close(pipe_[1]);
}

// Makes Python write into `fd`; returns where it did before. One that can't be is left out: it was
// the application's, and is closed. An exception that is set stays so.
int SignalHandlers::exchange(const Gil&, int fd) noexcept {
  PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  PyObject* arguments = Py_BuildValue("(i)", fd);
  PyObject* before =
      arguments ? PyObject_Call(set_wakeup_fd_.get(), arguments, quietly_.get()) : nullptr;
  const long number = before ? PyLong_AsLong(before) : kNobody;
  Py_XDECREF(before);
  Py_XDECREF(arguments);
  PyErr_Restore(type, value, trace);
  return static_cast<int>(number);
}

bool SignalHandlers::wakes(const Gil& gil) {
  if (!own_) return false;
  const int now = exchange(gil, pipe_[1]);
  own_ = now == pipe_[1] || now == kNobody;
  if (!own_) exchange(gil, now);
  return own_;
}

void SignalHandlers::empty_pipe() noexcept {
  char numbers[256];
  while (read(pipe_[0], numbers, sizeof numbers) > 0) {
  }
}

void SignalHandlers::run(const Gil& gil) {
  if (PyErr_CheckSignals() == 0) return;
  static const Place kPlace{"dataflow", "signal handler"};
  dead_letters_.add_pending(gil, kPlace, Py_None);
}

}  // namespace machida::flow
