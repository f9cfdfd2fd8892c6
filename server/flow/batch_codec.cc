#include "server/flow/batch_codec.h"

#include <fmt/core.h>

#include <cstring>

#include "embed/value.h"
#include "server/flow/call.h"

namespace machida::flow {
namespace {

void append_size(std::string& to, std::size_t size) {
  const auto size32 = static_cast<std::uint32_t>(size);
  char raw[sizeof size32];
  std::memcpy(raw, &size32, sizeof raw);
  to.append(raw, sizeof raw);
}

embed::PythonError too_large(std::size_t bytes, std::size_t bytes_max) {
  return embed::made_error("ValueError", "a record of " + std::to_string(bytes) +
                                             " bytes is too large for another worker (at most " +
                                             std::to_string(bytes_max) + ")");
}

}  // namespace

void BatchCodec::encode(const embed::Gil& gil, const Batch& records, const Place& place,
                        const OnPart& on_part) {
  if (pickling_.is_pickle())
    encode_list(gil, records, 0, records.size(), place, on_part);
  else
    encode_each(gil, records, place, on_part);
}

// In halves where it does not work as a whole, down to the record that is the reason.
void BatchCodec::encode_list(const embed::Gil& gil, const Batch& records, std::size_t first,
                             std::size_t last, const Place& place, const OnPart& on_part) {
  try {
    const Held list(gil, PyList_New(static_cast<Py_ssize_t>(last - first)));
    for (std::size_t i = first; i < last; ++i) {
      Py_INCREF(records.at(i));
      PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i - first), records.at(i));
    }
    const std::string bytes = pickling_.dump(gil, list.get());
    if (bytes.size() <= bytes_max_) return on_part(static_cast<std::uint32_t>(last - first), bytes);
    if (last - first == 1)
      return dead_letters_.add(gil, place, too_large(bytes.size(), bytes_max_), records.at(first));
  } catch (const embed::PythonError& error) {
    if (last - first == 1) return unencodable(gil, error, place, records.at(first));
  }
  const std::size_t middle = first + (last - first) / 2;
  encode_list(gil, records, first, middle, place, on_part);
  encode_list(gil, records, middle, last, place, on_part);
}

void BatchCodec::encode_each(const embed::Gil& gil, const Batch& records, const Place& place,
                             const OnPart& on_part) {
  std::string bytes;
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < records.size(); ++i) {
    try {
      const std::string record = pickling_.dump(gil, records.at(i));
      if (record.size() > bytes_max_) {
        dead_letters_.add(gil, place, too_large(record.size(), bytes_max_), records.at(i));
        continue;
      }
      if (count > 0 && bytes.size() + record.size() > bytes_max_) {
        on_part(std::exchange(count, 0), bytes);
        bytes.clear();
      }
      append_size(bytes, record.size());
      bytes += record;
      ++count;
    } catch (const embed::PythonError& error) {
      unencodable(gil, error, place, records.at(i));
    }
  }
  if (count > 0) on_part(count, bytes);
}

void BatchCodec::decode(const embed::Gil& gil, std::string_view bytes, const Place& place,
                        Batch& into) {
  if (pickling_.is_pickle()) {
    try {
      const embed::Object list = pickling_.load(gil, bytes);
      for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list.get()); ++i) {
        PyObject* record = PyList_GET_ITEM(list.get(), i);
        Py_INCREF(record);
        into.push(record);
      }
    } catch (const embed::PythonError& error) {
      undecodable(gil, error, bytes, place);
    }
    return;
  }
  while (!bytes.empty()) {
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data(), sizeof size);
    const std::string_view record = bytes.substr(sizeof size, size);
    bytes.remove_prefix(sizeof size + size);
    try {
      into.push(pickling_.load(gil, record).release());
    } catch (const embed::PythonError& error) {
      undecodable(gil, error, record, place);
    }
  }
}

// Python's own words, such as "Can't get local object", don't tell what it was about to do.
void BatchCodec::unencodable(const embed::Gil& gil, const embed::PythonError& error,
                             const Place& place, PyObject* record) {
  const char* what = pickling_.is_pickle() ? "the record can't be pickled" : "serialize() failed";
  dead_letters_.add(
      gil, place,
      {error.type(), fmt::format("{}, to go to another worker: {}", what, error.message()),
       error.traceback()},
      record);
}

void BatchCodec::undecodable(const embed::Gil& gil, const embed::PythonError& error,
                             std::string_view bytes, const Place& place) {
  const embed::Object input = embed::make_bytes(gil, bytes);
  dead_letters_.add(gil, place, error, input.get());
}

}  // namespace machida::flow
