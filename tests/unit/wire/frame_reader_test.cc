#include "server/wire/frame_reader.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using machida::wire::FrameReader;
using machida::wire::Framing;
using machida::wire::LengthFormat;

namespace {

Framing framing(const char* format, std::size_t header_bytes, std::size_t frame_bytes_max = 1000) {
  Framing made;
  made.header_bytes = header_bytes;
  made.frame_bytes_max = frame_bytes_max;
  made.length_format = *LengthFormat::parse(format, header_bytes);
  return made;
}

std::string framed(const std::string& payload) {
  return std::string{static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size())} +
         payload;
}

std::vector<std::string> read_all(FrameReader& reader, std::string_view bytes,
                                  std::size_t max = 3) {
  std::vector<std::string> out;
  std::vector<std::string_view> frames;
  reader.feed(bytes);
  while (*reader.next(frames, max) > 0)
    for (const std::string_view frame : frames) out.emplace_back(frame);
  reader.keep();
  return out;
}

}  // namespace

TEST_CASE("frames come out whole however the reads cut them") {
  const Framing wanted = framing(">H", 2);
  std::mt19937 random(7);
  std::vector<std::string> payloads;
  std::string stream;
  for (int i = 0; i < 300; ++i) {
    payloads.emplace_back(random() % 40, static_cast<char>('a' + i % 26));
    stream += framed(payloads.back());
  }
  for (const std::size_t read_bytes_max : {1, 2, 3, 50, 100000}) {
    FrameReader reader(wanted);
    std::vector<std::string> got;
    for (std::size_t at = 0; at < stream.size();) {
      const std::string read = stream.substr(at, 1 + random() % read_bytes_max);
      for (std::string& frame : read_all(reader, read)) got.push_back(std::move(frame));
      at += read.size();
    }
    CHECK(got == payloads);
    CHECK(reader.rest().empty());
  }
}

TEST_CASE("frames that were not asked for are kept for later") {
  const Framing wanted = framing(">H", 2);
  FrameReader reader(wanted);
  std::vector<std::string_view> frames;
  {
    const std::string read = framed("one") + framed("two") + framed("three") + "\0";
    reader.feed(read);
    CHECK(*reader.next(frames, 1) == 1);
    CHECK(frames[0] == "one");
    reader.keep();
  }
  CHECK(*reader.next(frames, 9) == 2);
  CHECK(frames[1] == "three");
}

TEST_CASE("a zero-length frame is a frame") {
  const Framing wanted = framing(">H", 2);
  FrameReader reader(wanted);
  CHECK(read_all(reader, framed("") + framed("x") + framed("")) ==
        std::vector<std::string>{"", "x", ""});
}

TEST_CASE("a frame over the limit is an error, after the good frames before it") {
  const Framing wanted = framing(">H", 2, 10);
  FrameReader reader(wanted);
  std::vector<std::string_view> frames;
  const std::string read = framed("fine") + framed(std::string(11, 'x'));
  reader.feed(read);
  REQUIRE(*reader.next(frames, 9) == 1);
  CHECK(frames[0] == "fine");
  const auto error = reader.next(frames, 9);
  REQUIRE_FALSE(error);
  CHECK(error.error().find("limit of 10") != std::string::npos);
}

TEST_CASE("a negative length is an error") {
  const Framing wanted = framing("b", 1);
  FrameReader reader(wanted);
  std::vector<std::string_view> frames;
  reader.feed("\xff");
  const auto error = reader.next(frames, 9);
  REQUIRE_FALSE(error);
  CHECK(error.error().find("negative") != std::string::npos);
}

TEST_CASE("a header that the application reads may fail") {
  Framing wanted;
  wanted.header_bytes = 1;
  wanted.length_function = [](std::string_view header) -> machida::Result<std::int64_t> {
    if (header == "!") return machida::Error{"no length"};
    return header[0] - '0';
  };
  FrameReader reader(wanted);
  CHECK(read_all(reader, "2ab0") == std::vector<std::string>{"ab", ""});
  std::vector<std::string_view> frames;
  reader.feed("!");
  CHECK_FALSE(reader.next(frames, 9));
}
