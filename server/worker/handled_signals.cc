#include "server/worker/handled_signals.h"

#include "server/base/log.h"

namespace machida::worker {

HandledSignals::HandledSignals(const embed::Gil& gil, uv::Loop& loop)
    : handlers_(gil, *this), came_(loop, handlers_.descriptor(), [this] { on_signal(); }) {}

void HandledSignals::add(const embed::Gil&, const flow::Place&, const embed::PythonError& error,
                         _object*) {
  log::error("a signal handler of the application failed:\n{}", error.traceback());
}

void HandledSignals::on_signal() {
  const embed::GilLock gil;
  handlers_.empty_pipe();
  handlers_.run(gil);
}

}  // namespace machida::worker
