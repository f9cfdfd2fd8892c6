// Makes the metadata objects of closed windows: metadata_class(open_time, close_time), datetimes in
// timezone.utc. Keys that close the same window get the same object, as long as it is among the
// last ones made.
#pragma once

#include <array>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/window/outcome.h"

struct _object;

namespace machida::flow {

class WindowMetadata {
 public:
  explicit WindowMetadata(embed::Object metadata_class) : class_(std::move(metadata_class)) {}

  // Whether there is a class.
  explicit operator bool() const noexcept { return static_cast<bool>(class_); }

  // Borrowed until the next call. Throws PythonError: what the class raises.
  _object* of(const embed::Gil&, const window::ClosedWindow& closed);

 private:
  struct Entry {
    window::Micros open_us = 0;
    window::Micros close_us = 0;
    embed::Object metadata;
  };
  static constexpr std::size_t kEntries = 64;  // a power of two

  embed::Object class_;
  std::array<Entry, kEntries> made_;
};

}  // namespace machida::flow
