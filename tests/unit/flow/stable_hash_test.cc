#include "server/flow/stable_hash.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "embed/error.h"
#include "embed/value.h"
#include "tests/unit/python.h"

using namespace machida;

namespace {

std::uint64_t hash_of(const embed::Gil& gil, const std::string& expression) {
  const embed::Object key = testing::python(gil, R"(
import collections, dataclasses, datetime, decimal, enum, fractions
Pair = collections.namedtuple('Pair', 'a b')
@dataclasses.dataclass(frozen=True)
class Point:
    x: object
    y: object
class Color(enum.Enum):
    RED = 1
    BLUE = 2
class Name(str): pass
it = )" + expression);
  const auto hash = flow::stable_hash(gil, key.get());
  if (!hash) embed::throw_pending(gil);
  return *hash;
}

}  // namespace

TEST_CASE("the hash of a key is the same in every process and version") {
  const embed::GilLock gil;
  CHECK(hash_of(gil, "'word'") == flow::stable_hash_of_text("word"));
  CHECK(flow::stable_hash_of_text("word") == 3120325061509471343ULL);
  CHECK(hash_of(gil, "7") == 11820201061969409296ULL);
}

TEST_CASE("keys that Python holds equal have one hash") {
  const embed::GilLock gil;
  const auto same = [&gil](const std::string& one, const std::string& other) {
    CHECK_MESSAGE(hash_of(gil, one) == hash_of(gil, other), one, " and ", other);
  };
  same("1", "True");
  same("1", "1.0");
  same("1", "decimal.Decimal('1.00')");
  same("2", "fractions.Fraction(4, 2)");
  same("10 ** 30", "float(10 ** 30) if float(10 ** 30) == 10 ** 30 else 10 ** 30");
  same("'a'", "Name('a')");
  same("(1, 'a')", "Pair(1, 'a')");
  same("frozenset(['a', 'b', 'c'])", "frozenset(['c', 'b', 'a'])");
  same("Point('ab', ''.join(['a', 'b']))", "Point('ab', 'ab')");
  same("datetime.date(2020, 1, 2)", "datetime.date.fromordinal(737426)");
  same("'\\ud800'", "'\\ud800'");
}

TEST_CASE("keys of different kind or value have different hashes") {
  const embed::GilLock gil;
  std::set<std::uint64_t> hashes;
  const std::string keys[] = {
      "None", "0",           "''",        "b''",         "()",
      "1",    "'1'",         "b'1'",      "(1,)",        "((1,),)",
      "-1",   "-3",          "1.5",       "frozenset()", "frozenset([1])",
      "int",  "'int'",       "Color.RED", "Color.BLUE",  "Point(1, 2)",
      "str",  "Point(2, 1)", "(1, 2)",    "(2, 1)",      "datetime.date(2020, 1, 2)"};
  for (const std::string& key : keys)
    CHECK_MESSAGE(hashes.insert(hash_of(gil, key)).second, key, " has the hash of another key");
}

TEST_CASE("a key that has no lasting representation is refused with the reason") {
  const embed::GilLock gil;
  CHECK_THROWS_WITH_AS(hash_of(gil, "(i for i in [])"), doctest::Contains("generator"),
                       embed::PythonError);
  CHECK_THROWS_AS(hash_of(gil, "__import__('functools').reduce(lambda a, b: (a,), range(100))"),
                  embed::PythonError);
}
