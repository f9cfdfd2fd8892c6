#include "server/base/host_port.h"

#include <doctest/doctest.h>

TEST_CASE("an IPv6 address is written in brackets") {
  CHECK(machida::HostPort{"127.0.0.1", 7010}.text() == "127.0.0.1:7010");
  CHECK(machida::HostPort{"::1", 7010}.text() == "[::1]:7010");
}

TEST_CASE("a port is a decimal from 0 to 65535") {
  CHECK(*machida::parse_port("0") == 0);
  CHECK(*machida::parse_port("65535") == 65535);
  for (const char* text : {"", "65536", "-1", "80 ", " 80", "http", "0x50", "7_010"}) {
    CAPTURE(text);
    CHECK_FALSE(machida::parse_port(text));
  }
}
