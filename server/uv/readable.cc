#include "server/uv/readable.h"

#include <utility>

namespace machida::uv {

Readable::Readable(Loop& loop, int fd, std::function<void()> on_readable)
    : loop_(loop), on_readable_(std::move(on_readable)), handle_(this) {
  require(uv_poll_init(loop.raw(), handle_.raw(), fd), "uv_poll_init");
  handle_.opened();
  const auto on_event = [](uv_poll_t* raw, int, int) {
    if (auto* self = Handle<uv_poll_t>::owner_of<Readable>(raw))
      self->loop_.guard([self] { self->on_readable_(); });
  };
  require(uv_poll_start(handle_.raw(), UV_READABLE, on_event), "uv_poll_start");
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_.raw()));
}

}  // namespace machida::uv
