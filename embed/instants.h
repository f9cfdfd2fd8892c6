// Python's datetimes and timedeltas as 64-bit counts of microseconds, and back, without calling
// Python where the zone is timezone.utc.
#pragma once

#include <cstdint>
#include <optional>

#include "embed/gil.h"
#include "embed/object.h"

struct _object;

namespace machida::embed {

// Microseconds since 1970-01-01 00:00 UTC of an aware datetime. Nothing: it is no datetime or has
// no zone; or, with an exception set, its zone's utcoffset() raised.
std::optional<std::int64_t> datetime_micros(const Gil&, _object* datetime);

// The microseconds of a timedelta; nothing for any other object. Those beyond 100,000
// years are as long as that.
std::optional<std::int64_t> timedelta_micros(const Gil&, _object* timedelta);

// A datetime in timezone.utc. Those before the year 1 or after 9999 become the nearest that Python
// has.
Object make_utc_datetime(const Gil&, std::int64_t micros_since_1970);

}  // namespace machida::embed
