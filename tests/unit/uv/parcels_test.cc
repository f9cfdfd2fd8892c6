#include "server/uv/parcels.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "server/uv/timer.h"

using namespace machida;

namespace {

uv::SocketPair pair() {
  auto made = uv::parcel_pair();
  REQUIRE(made);
  return *std::move(made);
}

struct Pipe {
  Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    read_end = uv::Descriptor(ends[0]);
    write_end = uv::Descriptor(ends[1]);
  }
  uv::Descriptor read_end, write_end;
};

}  // namespace

TEST_CASE("descriptors arrive open, in order, with their text") {
  uv::Loop loop;
  uv::SocketPair ends = pair();
  std::vector<uv::Parcel> got;
  uv::ParcelReader reader(loop, std::move(ends.other),
                          [&](uv::Parcel parcel) { got.push_back(std::move(parcel)); });
  {
    const Pipe one, two;
    REQUIRE(::write(one.write_end.get(), "1", 1) == 1);
    REQUIRE(::write(two.write_end.get(), "2", 1) == 1);
    const std::vector<int> both = {one.read_end.get(), two.read_end.get()};
    CHECK(uv::send_parcel(ends.one.get(), "both", both, 0) == "");
    CHECK(uv::send_parcel(ends.one.get(), "none", {}, 0) == "");
  }
  reader.take_all();
  REQUIRE(got.size() == 2);
  CHECK(got[0].text == "both");
  REQUIRE(got[0].descriptors.size() == 2);
  for (int i = 0; i < 2; ++i) {
    char byte = 0;
    CHECK(::read(got[0].descriptors[i].get(), &byte, 1) == 1);
    CHECK(byte == "12"[i]);
    CHECK((::fcntl(got[0].descriptors[i].get(), F_GETFD) & FD_CLOEXEC) != 0);
  }
  CHECK(got[1].text == "none");
  CHECK(got[1].descriptors.empty());
}

TEST_CASE("a parcel comes over the loop, and the other end's end is no parcel") {
  uv::Loop loop;
  uv::SocketPair ends = pair();
  int count = 0;
  uv::Timer deadline(loop, [] { throw std::runtime_error("no parcel came"); });
  deadline.start(20'000);
  uv::ParcelReader reader(loop, std::move(ends.other), [&](const uv::Parcel&) {
    ++count;
    loop.stop();
  });
  CHECK(uv::send_parcel(ends.one.get(), "x", {}, 0) == "");
  loop.run();
  ends.one = uv::Descriptor();
  reader.take_all();
  CHECK(count == 1);
}

TEST_CASE("who sends to somebody that takes nothing, or is gone, is told") {
  uv::SocketPair ends = pair();
  std::string why;
  for (int i = 0; i < 100'000 && why.empty(); ++i)
    why = uv::send_parcel(ends.one.get(), std::string(uv::kParcelBytesMax, 'x'), {}, 10);
  CHECK_FALSE(why.empty());
  ends.other = uv::Descriptor();
  CHECK_FALSE(uv::send_parcel(ends.one.get(), "x", {}, 10).empty());
}
