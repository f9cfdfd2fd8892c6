#include "server/uv/stop_line.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <optional>

using namespace machida;

namespace {

uv::Descriptor copy_of(const uv::Descriptor& one) {
  return uv::Descriptor(fcntl(one.get(), F_DUPFD_CLOEXEC, 0));
}

}  // namespace

TEST_CASE("a stop line says that another process was told to stop, for as long as it is there") {
  const uv::Descriptor line(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  CHECK_FALSE(uv::stop_asked());
  {
    uv::StopLine own(copy_of(line), {});
    CHECK(uv::StopLine::here() == &own);
    CHECK_FALSE(own.told());
    REQUIRE(eventfd_write(line.get(), 1) == 0);  // by another process
    CHECK(own.told());
    CHECK(uv::stop_asked());
    own.tell();
    CHECK(own.told());
    {
      const uv::Descriptor other(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
      const uv::StopLine inner(copy_of(other), {});  // of a run within user code of this one
      CHECK_FALSE(uv::stop_asked());
    }
    CHECK(uv::stop_asked());
  }
  CHECK_FALSE(uv::stop_asked());
  CHECK(uv::StopLine(copy_of(line), {}).told());
}

TEST_CASE("a stop line says that another process is gone, also when the link to it was closed") {
  uv::SocketPair pair = *uv::socket_pair();
  const uv::StopLine own(uv::Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
                         {-1, pair.one.get()});
  CHECK_FALSE(own.told());
  REQUIRE(write(pair.other.get(), "said", 4) == 4);  // which is not read here
  CHECK_FALSE(own.told());
  pair.one = uv::Descriptor();
  CHECK_FALSE(own.told());
  pair.other = uv::Descriptor();
  CHECK(own.told());
}
