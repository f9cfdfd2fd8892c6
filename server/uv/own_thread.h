// A thread for work that may block for long: one piece after another, each with its end reported on
// the loop. Made, asked and ended on the loop's thread. uv::offload's few threads are shared: what
// waits for a remote system that is away would keep them from the rest.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "server/uv/loop.h"
#include "server/uv/offload.h"

namespace machida::uv {

class OwnThread {
 public:
  explicit OwnThread(Loop& loop);
  // end() with no wait, unless it was ended.
  ~OwnThread();
  OwnThread(const OwnThread&) = delete;
  OwnThread& operator=(const OwnThread&) = delete;

  // Runs `work` there, then `done` on the loop. `work` must not throw.
  void post(std::function<void()> work, std::function<void()> done);

  // Nothing is reported from now on, and work that has not begun is dropped; `last` runs behind
  // what is in work. Waits for the thread's end, at most so long. False: it is left to itself, and
  // goes on whenever it can. May be called again, to wait longer.
  bool end(std::function<void()> last, std::uint64_t wait_ms);

 private:
  struct Job {
    std::function<void()> work, done;
  };
  // Shared with the thread, which may outlive this object.
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Job> jobs;
    std::deque<std::function<void()>> done;
    Wake* wake = nullptr;  // null: nobody wants to know
    bool ending = false;
    bool ended = false;
  };
  static void serve(const std::shared_ptr<Shared>& shared);
  void report();

  std::shared_ptr<Shared> shared_;
  std::unique_ptr<Wake> wake_;
  std::thread thread_;
};

}  // namespace machida::uv
