#include "server/wire/length_format.h"

#include <doctest/doctest.h>

#include <limits>
#include <string>

using machida::wire::LengthFormat;

TEST_CASE("a header is read as struct.unpack would") {
  struct Case {
    const char* format;
    std::string header;
    std::int64_t value;
  };
  const Case cases[] = {
      {">I", {0, 0, 1, 2}, 258},
      {"<I", {2, 1, 0, 0}, 258},
      {"!H", {1, 0}, 256},
      {"=H", {0, 1}, 256},
      {"B", {'\xff'}, 255},
      {"b", {'\xff'}, -1},
      {">i", {'\xff', '\xff', '\xff', '\xfe'}, -2},
      {"<q", {5, 0, 0, 0, 0, 0, 0, 0}, 5},
      {">xxH", {9, 9, 0, 7}, 7},
      {">H2x", {0, 7, 9, 9}, 7},
      {" > 1 H", {}, 0},
      {"@bx", {3, 0}, 3},
      {"@xh", {9, 9, 4, 0}, 4},
      {"?", {1}, 1},
      {">IB", {0, 0, 1, 2, 9}, 258},
      {">xHI", {9, 0, 7, 9, 9, 9, 9}, 7},
      {"<2HI", {7, 0, 9, 9, 9, 9, 9, 9}, 7},
      {"@BI", {7, 9, 9, 9, 9, 9, 9, 9}, 7},
      {"@BH0I", {7, 9, 9, 9}, 7},
      {"<0dBf", {7, 9, 9, 9, 9}, 7},
      {">H3sc", {0, 7, 'a', 'b', 'c', 'd'}, 7},
      {"!Bep", {7, 9, 9, 9}, 7},
  };
  for (const Case& c : cases) {
    CAPTURE(c.format);
    const auto format = LengthFormat::parse(c.format, c.header.empty() ? 2 : c.header.size());
    if (c.header.empty()) {  // as in Python: a count and its code must not be torn apart
      CHECK_FALSE(format);
      continue;
    }
    REQUIRE(format);
    CHECK(format->read(c.header.data()) == c.value);
  }
}

TEST_CASE("an unsigned length beyond 63 bits saturates instead of turning negative") {
  const auto format = LengthFormat::parse(">Q", 8);
  REQUIRE(format);
  CHECK(format->read("\xff\xff\xff\xff\xff\xff\xff\xff") ==
        std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("a format without an integer in front, or of another size than the header, is refused") {
  const std::pair<const char*, std::size_t> cases[] = {
      {">II", 4},  {">f", 4}, {">s", 1},  {"", 4},     {">", 4},   {">I", 2}, {">H", 4},
      {">fI", 8},  {">n", 8}, {">3", 3},  {"xxxx", 4}, {">I", 0},  {">I", 9}, {">999999999999H", 2},
      {">0sI", 4}, {"BI", 5}, {">Iy", 5}, {">0I", 4},  {">cI", 5},
  };
  for (const auto& [format, bytes] : cases) {
    CAPTURE(format);
    const auto parsed = LengthFormat::parse(format, bytes);
    REQUIRE_FALSE(parsed);
    CHECK_FALSE(parsed.error().empty());
  }
}
