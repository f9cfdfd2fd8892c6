// A program that this process starts and watches. Loop's thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "server/base/result.h"
#include "server/uv/handle.h"
#include "server/uv/loop.h"

namespace machida::uv {

struct ChildProgram {
  std::string path;
  std::vector<std::string> argv;  // with the name it is called by
  // What it finds open besides standard input, output and error: its number, at least 3 -> ours.
  std::map<int, int> descriptors;
};

// How a program ended.
struct ChildExit {
  int status = 0;
  int signal = 0;  // that killed it; 0: it ended by itself, with `status`

  // As shells report it: the status, or 128 + the signal.
  int code() const noexcept { return signal != 0 ? 128 + signal : status; }
  std::string text() const;  // "ended with status 2", "was killed by signal 11 (Segmentation …)"
};

class Child {
 public:
  // `on_exit` is called once for a start() that succeeded; it may not destroy the child.
  Child(Loop& loop, std::function<void(const ChildExit&)> on_exit);
  // Kills it if it is still running.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Once. Returns the process's number, or why it can't be started.
  Result<pid_t> start(const ChildProgram& program);

  bool running() const noexcept { return pid_ != 0; }
  void kill() noexcept;  // SIGKILL; no matter if it has ended

 private:
  Loop& loop_;
  std::function<void(const ChildExit&)> on_exit_;
  Handle<uv_process_t> handle_;
  pid_t pid_ = 0;
};

// First thing in the main() of a program that must not outlive the thread of `parent` which started
// it: from now on the kernel kills it with its parent; if that has gone already, it ends here.
void die_with_parent(pid_t parent);

}  // namespace machida::uv
