// The application's own signal handlers are called while the worker waits for records, too. What
// they raise is logged; sys.exit() in one ends the worker, as it does in a step. Loop thread, which
// is Python's main thread.
#pragma once

#include "server/flow/dead_letters.h"
#include "server/flow/signal_handlers.h"
#include "server/uv/loop.h"
#include "server/uv/readable.h"

namespace machida::worker {

class HandledSignals final : flow::DeadLetters {
 public:
  HandledSignals(const embed::Gil&, uv::Loop& loop);

 private:
  void add(const embed::Gil&, const flow::Place&, const embed::PythonError& error,
           _object* input) override;
  void on_signal();

  flow::SignalHandlers handlers_;
  uv::Readable came_;
};

}  // namespace machida::worker
