#include "server/uv/loop.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

#include "server/base/check.h"

namespace machida::uv {

Loop::Loop() : read_memory_(std::make_unique_for_overwrite<char[]>(kReadBytesMax)) {
  // A write to a peer that is gone is an error of that write, as in Python, not the process's end.
  std::signal(SIGPIPE, SIG_IGN);
  require(uv_loop_init(&loop_), "uv_loop_init");
  loop_.data = this;
  turn_counter_ = std::make_unique<Handle<uv_prepare_t>>(this);
  require(uv_prepare_init(&loop_, turn_counter_->raw()), "uv_prepare_init");
  turn_counter_->opened();
  const auto on_turn = [](uv_prepare_t* raw) {
    if (auto* self = Handle<uv_prepare_t>::owner_of<Loop>(raw)) ++self->turn_;
  };
  require(uv_prepare_start(turn_counter_->raw(), on_turn), "uv_prepare_start");
  uv_unref(reinterpret_cast<uv_handle_t*>(turn_counter_->raw()));
}

Loop::~Loop() {
  turn_counter_.reset();
  uv_run(&loop_, UV_RUN_DEFAULT);
  MACHIDA_CHECK(uv_loop_close(&loop_) == 0, "a libuv handle outlived its loop");
}

void Loop::run() {
  uv_run(&loop_, UV_RUN_DEFAULT);
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

std::string error_text(int code) { return uv_strerror(code); }

void require(int code, const char* what) {
  if (code < 0) throw std::runtime_error(std::string(what) + ": " + error_text(code));
}

void raise_open_files_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void open_standard_files() {
  int file = 0;
  while (file >= 0 && file <= STDERR_FILENO) file = ::open("/dev/null", O_RDWR);
  if (file >= 0) ::close(file);
}

}  // namespace machida::uv
