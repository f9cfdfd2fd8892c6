#include "embed/instants.h"

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <datetime.h>

#include <algorithm>
#include <chrono>

#include "embed/error.h"

namespace machida::embed {
namespace {

constexpr std::int64_t kMicrosPerSecond = 1'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kMicrosPerDay = kSecondsPerDay * kMicrosPerSecond;

constexpr std::int64_t micros_at(std::chrono::year_month_day day) {
  return std::chrono::sys_days(day).time_since_epoch().count() * kMicrosPerDay;
}
constexpr std::int64_t kFirstMicros = micros_at(
    std::chrono::year_month_day(std::chrono::year(1), std::chrono::January, std::chrono::day(1)));
constexpr std::int64_t kLastMicros =
    micros_at(std::chrono::year_month_day(std::chrono::year(9999), std::chrono::December,
                                          std::chrono::day(31))) +
    kMicrosPerDay - 1;

const PyDateTime_CAPI& api(const Gil& gil) {
  if (!PyDateTimeAPI) PyDateTime_IMPORT;
  if (!PyDateTimeAPI) throw_pending(gil);
  return *PyDateTimeAPI;
}

std::int64_t micros_of(PyObject* timedelta) {
  constexpr std::int64_t kDaysMax = 36'525'000;
  const std::int64_t days = PyDateTime_DELTA_GET_DAYS(timedelta);
  return (std::clamp(days, -kDaysMax, kDaysMax) * kSecondsPerDay +
          PyDateTime_DELTA_GET_SECONDS(timedelta)) *
             kMicrosPerSecond +
         PyDateTime_DELTA_GET_MICROSECONDS(timedelta);
}

// As the clock on the wall of its zone shows it.
std::int64_t local_micros(PyObject* datetime) {
  const std::chrono::year_month_day day(
      std::chrono::year(PyDateTime_GET_YEAR(datetime)),
      std::chrono::month(static_cast<unsigned>(PyDateTime_GET_MONTH(datetime))),
      std::chrono::day(static_cast<unsigned>(PyDateTime_GET_DAY(datetime))));
  const std::int64_t seconds = PyDateTime_DATE_GET_HOUR(datetime) * 3600 +
                               PyDateTime_DATE_GET_MINUTE(datetime) * 60 +
                               PyDateTime_DATE_GET_SECOND(datetime);
  return micros_at(day) + seconds * kMicrosPerSecond + PyDateTime_DATE_GET_MICROSECOND(datetime);
}

}  // namespace

std::optional<std::int64_t> datetime_micros(const Gil& gil, PyObject* datetime) {
  const PyDateTime_CAPI& python = api(gil);
  if (!PyDateTime_Check(datetime)) return std::nullopt;
  PyObject* zone = PyDateTime_DATE_GET_TZINFO(datetime);
  if (zone == python.TimeZone_UTC) return local_micros(datetime);
  if (zone == Py_None) return std::nullopt;
  PyObject* utcoffset = PyObject_CallMethod(datetime, "utcoffset", nullptr);
  if (!utcoffset) return std::nullopt;
  const Object offset = Object::steal(gil, utcoffset);
  if (!PyDelta_Check(offset.get())) return std::nullopt;
  return local_micros(datetime) - micros_of(offset.get());
}

std::optional<std::int64_t> timedelta_micros(const Gil& gil, PyObject* timedelta) {
  api(gil);
  if (!PyDelta_Check(timedelta)) return std::nullopt;
  return micros_of(timedelta);
}

Object make_utc_datetime(const Gil& gil, std::int64_t micros) {
  const PyDateTime_CAPI& python = api(gil);
  const std::chrono::sys_time<std::chrono::microseconds> instant{
      std::chrono::microseconds(std::clamp(micros, kFirstMicros, kLastMicros))};
  const auto midnight = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day day(midnight);
  const std::chrono::hh_mm_ss time(instant - midnight);
  return Object::steal(
      gil,
      python.DateTime_FromDateAndTime(
          static_cast<int>(day.year()), static_cast<int>(static_cast<unsigned>(day.month())),
          static_cast<int>(static_cast<unsigned>(day.day())),
          static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
          static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()),
          python.TimeZone_UTC, python.DateTimeType));
}

}  // namespace machida::embed
