// Looking at Python values from C++ without CPython's header: types, text, attributes, items.
// Not for the data path, which uses the header's inlined calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"

namespace machida::embed {

bool is_none(const Object&);
bool is_str(const Object&);
bool is_bytes(const Object&);
bool is_list(const Object&);
bool is_tuple(const Object&);
bool is_class(const Object&);
bool is_callable(const Object&);
bool is_same(const Object&, const Object&);
// Of this very class, not of one derived from it.
bool is_exactly_str(const Object&);
bool is_exactly_bytes(const Object&);
bool is_exactly_int(const Object&);

// The class' name: "str".
std::string type_name(const Object&);

// str(object), repr(object) as UTF-8, what can't be (lone surrogates) with backslashes; never
// throws, and repr is cut at `bytes_max`.
std::string str(const Gil&, const Object&);
std::string repr(const Gil&, const Object&, std::size_t bytes_max = 1u << 20);

// The integer of an int (or of an object with __index__); throws PythonError otherwise.
std::int64_t integer(const Gil&, const Object&);

// The value of an int; nothing when it needs more than 64 bits.
std::optional<std::int64_t> small_integer(const Object&);

// Elements of a list or tuple, as owned references.
std::vector<Object> items(const Gil&, const Object& sequence);

// Keys and values of a mapping; throws PythonError when it is none.
std::vector<std::pair<Object, Object>> dict_items(const Gil&, const Object& mapping);

// The attribute, or nothing when the object lacks it; other errors are thrown.
std::optional<Object> find_attribute(const Gil&, const Object&, const char* name);

// An attribute of a module, which is imported; throws PythonError.
Object imported(const Gil&, const char* module, const char* attribute);

Object none(const Gil&);
Object make_str(const Gil&, std::string_view);
Object make_bytes(const Gil&, std::string_view);
Object make_int(const Gil&, std::int64_t);
Object make_list(const Gil&, std::vector<Object> elements);
Object make_tuple(const Gil&, const Object& list);

Object call(const Gil&, const Object& function);
Object call(const Gil&, const Object& function, const Object& argument);
Object call(const Gil&, const Object& function, const Object& first, const Object& second);

// The bytes of a bytes-like object or the UTF-8 of a str, valid as long as `object`; nothing for
// any other type.
std::optional<std::string_view> bytes_view(const Gil&, _object* object);

// The bytes of a bytes object or the UTF-8 of a str; nothing for a str that has no UTF-8.
std::optional<std::string_view> utf8_or_bytes(const Gil&, const Object&);

// Equal by Python's ==; throws what __eq__ raises.
bool equal(const Gil&, const Object&, const Object&);

}  // namespace machida::embed
