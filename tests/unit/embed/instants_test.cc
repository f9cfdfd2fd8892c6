#include "embed/instants.h"

#include <doctest/doctest.h>

#include <string>

#include "embed/error.h"
#include "embed/value.h"
#include "tests/unit/python.h"

using namespace machida;

namespace {

constexpr const char* kImports =
    "from datetime import *\nfrom zoneinfo import ZoneInfo\nutc = timezone.utc\n";

std::optional<std::int64_t> micros(const embed::Gil& gil, const std::string& datetime) {
  return embed::datetime_micros(gil, testing::python(gil, kImports + ("it = " + datetime)).get());
}

}  // namespace

TEST_CASE("an aware datetime is microseconds since 1970, in any zone and any year") {
  const embed::GilLock gil;
  CHECK(micros(gil, "datetime(1970, 1, 1, tzinfo=utc)") == 0);
  CHECK(micros(gil, "datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=utc)") == -1);
  CHECK(micros(gil, "datetime(2022, 1, 1, tzinfo=utc)") == 1'640'995'200'000'000);
  CHECK(micros(gil, "datetime(2000, 2, 29, 1, 2, 3, 4, tzinfo=utc)") == 951'786'123'000'004);
  CHECK(micros(gil, "datetime(2022, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))") ==
        1'640'995'200'000'000);
  CHECK(micros(gil, "datetime(2022, 1, 1, tzinfo=ZoneInfo('UTC'))") == 1'640'995'200'000'000);
  CHECK(micros(gil, "datetime(1, 1, 1, tzinfo=utc)") == -62'135'596'800'000'000);
  CHECK(micros(gil, "datetime.max.replace(tzinfo=utc)") == 253'402'300'799'999'999);
}

TEST_CASE("what has no zone or is no datetime has no time; what a zone raises stays set") {
  const embed::GilLock gil;
  CHECK_FALSE(micros(gil, "datetime(2022, 1, 1)"));
  CHECK_FALSE(micros(gil, "date(2022, 1, 1)"));
  CHECK_FALSE(micros(gil, "1640995200"));
  CHECK_NOTHROW(embed::throw_if_pending(gil));
  CHECK_FALSE(micros(gil, "datetime(2022, 1, 1, tzinfo=tzinfo())"));
  CHECK_THROWS_AS(embed::throw_if_pending(gil), embed::PythonError);
}

TEST_CASE("a timedelta is microseconds") {
  const embed::GilLock gil;
  const auto micros_of = [&gil](const std::string& delta) {
    return embed::timedelta_micros(gil, testing::python(gil, kImports + ("it = " + delta)).get());
  };
  CHECK(micros_of("timedelta(days=1, seconds=2, microseconds=3)") == 86'402'000'003);
  CHECK(micros_of("timedelta(microseconds=-1)") == -1);
  CHECK(micros_of("timedelta(days=36525000)") == 3'155'760'000'000'000'000);
  CHECK(micros_of("timedelta.max") == 3'155'760'086'399'999'999);
  CHECK(micros_of("timedelta.min") == -3'155'760'000'000'000'000);
  CHECK_FALSE(micros_of("5"));
}

TEST_CASE("a datetime comes back as it was, with timezone.utc; beyond Python's years the nearest") {
  const embed::GilLock gil;
  const auto text = [&gil](std::int64_t us) {
    return embed::repr(gil, embed::make_utc_datetime(gil, us));
  };
  CHECK(text(-1) ==
        "datetime.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=datetime.timezone.utc)");
  CHECK(text(951'786'123'000'004) ==
        "datetime.datetime(2000, 2, 29, 1, 2, 3, 4, tzinfo=datetime.timezone.utc)");
  CHECK(text(std::int64_t{1} << 61) ==
        "datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=datetime.timezone.utc)");
  CHECK(text(-(std::int64_t{1} << 61)) ==
        "datetime.datetime(1, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)");
}
