// Backpressure: whether this worker's sources may read. Pauses are counted, since several sinks may
// ask at once. Worker's thread only.
#pragma once

#include <functional>
#include <vector>

namespace machida::flow {

class Intake {
 public:
  // `on_change` is called when reading becomes allowed or forbidden, never from within itself.
  void watch(std::function<void()> on_change) { watchers_.push_back(std::move(on_change)); }

  void pause();
  void resume();
  bool paused() const noexcept { return pauses_ != 0; }

  // Calls `work`, and pauses for good when it throws: user code ends the worker, and nothing more
  // is processed.
  template <class Work>
  void pause_if_it_throws(Work&& work) {
    try {
      work();
    } catch (...) {
      pause();
      throw;
    }
  }

 private:
  void tell() const;

  int pauses_ = 0;
  std::vector<std::function<void()>> watchers_;
};

}  // namespace machida::flow
