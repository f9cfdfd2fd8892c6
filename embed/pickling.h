// Python objects as bytes and back: with the application's own serialize() and deserialize() where
// its module has both, as in the original, and with pickle, protocol 5, otherwise.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "embed/gil.h"
#include "embed/object.h"

namespace machida::embed {

class Pickling {
 public:
  // pickle itself.
  explicit Pickling(const Gil&);
  // For the objects of an application, whose module has been imported.
  static Pickling of_application(const Gil&, const std::string& module);

  // By functions: object -> bytes, and back.
  static Pickling of_functions(Object dumps, Object loads) {
    return Pickling(std::move(dumps), std::move(loads), false);
  }

  Pickling clone(const Gil&) const;

  // pickle itself, not the application's functions.
  bool is_pickle() const noexcept { return with_protocol_; }

  // Throw PythonError: what serialize() or deserialize() raised, or that they returned no bytes.
  std::string dump(const Gil&, _object* object) const;
  Object load(const Gil&, std::string_view bytes) const;

 private:
  Pickling(Object dumps, Object loads, bool with_protocol)
      : dumps_(std::move(dumps)), loads_(std::move(loads)), with_protocol_(with_protocol) {}

  Object dumps_, loads_;
  bool with_protocol_ = true;  // dumps_(object, 5)
};

}  // namespace machida::embed
