#include "server/uv/pipe_stream.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <memory>
#include <string>

#include "server/uv/loop.h"

using namespace machida;

namespace {

struct Peer final : uv::StreamEvents {
  Peer(uv::Loop& loop, uv::Descriptor fd)
      : stream(std::make_unique<uv::PipeStream>(loop, *this, std::move(fd))) {
    stream->start_reading();
  }
  void on_read(std::string_view bytes) override { note("read " + std::string(bytes)); }
  void on_end(const std::string& error) override {
    note("end " + error);
    stream.reset();
  }
  void on_written(const std::string& error) override {
    note("written " + error);
    if (close_when_written) stream.reset();
  }
  void note(const std::string& event) { events += event + ";"; }
  std::unique_ptr<uv::PipeStream> stream;
  std::string events;
  bool close_when_written = false;
};

}  // namespace

TEST_CASE("what one end of a pair writes the other reads, and an end is an end") {
  uv::Loop loop;
  uv::SocketPair pair = *uv::socket_pair();
  Peer one(loop, std::move(pair.one)), other(loop, std::move(pair.other));
  one.close_when_written = true;
  const std::string_view parts[] = {"he", "llo"};
  one.stream->write(parts);
  loop.run();
  CHECK(one.events == "written ;");
  CHECK(other.events == "read hello;end ;");
}

TEST_CASE("writing to an end that is gone is an error and not the process's end") {
  uv::Loop loop;
  uv::SocketPair pair = *uv::socket_pair();
  Peer one(loop, std::move(pair.one));
  pair.other = uv::Descriptor();
  const std::string_view parts[] = {"hello"};
  one.stream->write(parts);
  loop.run();
  CHECK(one.events.find("written broken pipe;") != std::string::npos);
}

TEST_CASE("programs that user code starts do not get a link that this process inherited") {
  uv::Loop loop;
  uv::SocketPair pair = *uv::socket_pair();
  const int fd = pair.one.get();
  ::fcntl(fd, F_SETFD, 0);  // as an inherited one is
  const Peer one(loop, std::move(pair.one));
  CHECK(::fcntl(fd, F_GETFD) == FD_CLOEXEC);
}

TEST_CASE("a number that is not open is refused") {
  uv::Loop loop;
  CHECK_THROWS_WITH(Peer(loop, uv::Descriptor(100'000)), "uv_pipe_open: bad file descriptor");
}
