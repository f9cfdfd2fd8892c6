#include "server/uv/pipe_stream.h"

#include <fcntl.h>

namespace machida::uv {

PipeStream::PipeStream(Loop& loop, StreamEvents& events, Descriptor fd) : Stream(loop, events) {
  require(uv_pipe_init(loop.raw(), handle_.raw(), 0), "uv_pipe_init");
  handle_.opened();
  require(uv_pipe_open(handle_.raw(), fd.get()), "uv_pipe_open");
  // An inherited one comes without: a program that user code starts would keep the link open.
  ::fcntl(fd.release(), F_SETFD, FD_CLOEXEC);
}

}  // namespace machida::uv
