#include "embed/value.h"

#include <doctest/doctest.h>

#include "embed/error.h"
#include "embed/key_set.h"
#include "tests/unit/python.h"

using namespace machida;

TEST_CASE("repr and str give text whatever the object does") {
  const embed::GilLock gil;
  CHECK(embed::repr(gil, testing::python(gil, "it = [1, 'a']")) == "[1, 'a']");
  CHECK(embed::str(gil, testing::python(gil, "it = '\\ud800x'")) == "\\ud800x");
  CHECK(embed::repr(gil, testing::python(gil, R"(
class Bad:
    def __repr__(self): raise ValueError()
it = Bad())")) == "<unprintable>");
}

TEST_CASE("a long repr is cut between characters") {
  const embed::GilLock gil;
  const std::string cut = embed::repr(gil, testing::python(gil, "it = 'äöü'"), 4);
  CHECK(cut == "'ä…");
}

TEST_CASE("bytes, bytearray and str have bytes, others have none") {
  const embed::GilLock gil;
  const auto view = [&gil](const char* source) {
    const embed::Object object = testing::python(gil, std::string("it = ") + source);
    const auto bytes = embed::bytes_view(gil, object.get());
    return bytes ? std::string(*bytes) : std::string("none");
  };
  CHECK(view("b'a\\xff'") == "a\xff");
  CHECK(view("bytearray(b'ab')") == "ab");
  CHECK(view("'ä'") == "ä");
  CHECK(view("3") == "none");
}

TEST_CASE("integers are those of int and __index__, in 64 bits") {
  const embed::GilLock gil;
  const auto integer = [&gil](const char* source) {
    return embed::integer(gil, testing::python(gil, std::string("it = ") + source));
  };
  CHECK(integer("-5") == -5);
  CHECK(integer("True") == 1);
  CHECK_THROWS_AS(integer("2 ** 63"), embed::PythonError);
  CHECK_THROWS_AS(integer("1.0"), embed::PythonError);
  CHECK_THROWS_AS(integer("'1'"), embed::PythonError);
}

TEST_CASE("keys are the same when Python says so") {
  const embed::GilLock gil;
  embed::KeySet keys(gil);
  CHECK(keys.insert(gil, testing::python(gil, "it = 1")));
  CHECK_FALSE(keys.insert(gil, testing::python(gil, "it = 1.0")));
  CHECK(keys.insert(gil, testing::python(gil, "it = '1'")));
  CHECK_THROWS_AS(keys.insert(gil, testing::python(gil, "it = []")), embed::PythonError);
}

TEST_CASE("a u64 is an int from 0 to 2**64 - 1") {
  const embed::GilLock gil;
  const auto is_u64 = [&gil](const char* source) {
    return embed::is_u64(gil, testing::python(gil, std::string("it = ") + source));
  };
  CHECK(is_u64("0"));
  CHECK(is_u64("2**64 - 1"));
  CHECK_FALSE(is_u64("2**64"));
  CHECK_FALSE(is_u64("-1"));
  CHECK_FALSE(is_u64("True"));
  CHECK_FALSE(is_u64("'1'"));
}
