// One end of a connected Unix socket: a link to another process on this machine. Loop's thread;
// destroying it closes it.
#pragma once

#include "server/uv/socket_pair.h"
#include "server/uv/stream.h"

namespace machida::uv {

class PipeStream : public Stream<uv_pipe_t> {
 public:
  // Throws std::runtime_error when `fd` is no open stream: whoever started us is another program.
  PipeStream(Loop& loop, StreamEvents& events, Descriptor fd);
};

}  // namespace machida::uv
