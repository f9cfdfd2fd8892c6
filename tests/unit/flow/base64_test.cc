#include "server/flow/base64.h"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("base64 gives the test vectors of RFC 4648") {
  using machida::flow::base64;
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("fooba") == "Zm9vYmE=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64(std::string("\xff\x00", 2)) == "/wA=");
}
