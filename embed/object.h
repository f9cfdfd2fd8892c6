// An owned reference to a Python object. Move-only: a copy is `clone`, and says that it counts.
// May be destroyed on any thread; without the lock it takes it (slow, never on the data path).
#pragma once

#include <utility>

#include "embed/gil.h"

struct _object;  // CPython's PyObject, without its header

namespace machida::embed {

class Object {
 public:
  Object() = default;
  // A new reference; null means that Python raised: throws PythonError or SystemExit.
  static Object steal(const Gil&, _object* fresh);
  // A borrowed reference; null as above.
  static Object borrow(const Gil&, _object* lent);

  Object(Object&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Object& operator=(Object&& other) noexcept {
    Object old(std::move(*this));
    object_ = std::exchange(other.object_, nullptr);
    return *this;
  }
  ~Object() {
    if (object_) drop();
  }

  Object clone(const Gil&) const;
  _object* get() const noexcept { return object_; }
  _object* release() noexcept { return std::exchange(object_, nullptr); }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  explicit Object(_object* object) noexcept : object_(object) {}
  void drop() noexcept;

  _object* object_ = nullptr;
};

}  // namespace machida::embed
