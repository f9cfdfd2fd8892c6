// A hash of a partition key that is the same in every process and at every start, and equal for
// keys that Python holds equal: what decides which worker has the key.
//
// str and bytes hash by their bytes, numbers by Python's numeric hash (a property of the value,
// never randomised), tuples and frozensets by their elements, anything else by what pickle would
// store of it: class, constructor arguments and attributes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "embed/gil.h"

struct _object;

namespace machida::flow {

// Nothing: the key has no such representation; the exception is set.
std::optional<std::uint64_t> stable_hash(const embed::Gil&, _object* key);

// Of a str with this UTF-8.
std::uint64_t stable_hash_of_text(std::string_view utf8);

}  // namespace machida::flow
