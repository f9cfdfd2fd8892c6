#include "server/uv/accept_watch.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "server/base/log.h"

namespace machida::uv {
namespace {

constexpr std::uint64_t kTryAgainMs = 100;

bool is_of_this_connection(int error) {
  return error == EAGAIN || error == EINTR || error == ECONNABORTED || error == EPROTO;
}

}  // namespace

AcceptWatch::AcceptWatch(Loop& loop, int listening, std::function<void(Descriptor)> on_connection)
    : loop_(loop),
      fd_(listening),
      on_connection_(std::move(on_connection)),
      again_(loop, [this] { accept_one(); }),
      handle_(this) {
  require(uv_poll_init(loop.raw(), handle_.raw(), fd_), "uv_poll_init");
  handle_.opened();
  resume();
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_.raw()));
}

void AcceptWatch::pause() {
  again_.stop();
  uv_poll_stop(handle_.raw());
}

void AcceptWatch::resume() {
  if (waits_) return again_.start(kTryAgainMs);
  if (uv_is_active(reinterpret_cast<uv_handle_t*>(handle_.raw()))) return;
  const auto on_readable = [](uv_poll_t* raw, int status, int) {
    auto* self = Handle<uv_poll_t>::owner_of<AcceptWatch>(raw);
    if (self && status == 0) self->loop_.guard([self] { self->accept_one(); });
  };
  require(uv_poll_start(handle_.raw(), UV_READABLE, on_readable), "uv_poll_start");
}

void AcceptWatch::accept_one() {
  Descriptor accepted(::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
  const int error = accepted.get() < 0 ? errno : 0;
  if (error != 0 && !is_of_this_connection(error)) return wait_for_files(error);
  if (std::exchange(waits_, false)) {
    log::info("connections are accepted again");
    resume();
  }
  if (error == 0) on_connection_(std::move(accepted));
}

// The socket stays readable: looking at it would take all of the processor's time.
void AcceptWatch::wait_for_files(int error) {
  if (!std::exchange(waits_, true))
    log::warn("connections wait to be accepted: {}", error_text(-error));
  uv_poll_stop(handle_.raw());
  again_.start(kTryAgainMs);
}

}  // namespace machida::uv
