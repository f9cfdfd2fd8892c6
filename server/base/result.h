// A value or the text of what went wrong, for failures of the outside world that a caller handles
// at once: a bad frame, a refused connection. Mistakes of the application travel as exceptions.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "server/base/check.h"

namespace machida {

struct Error {
  std::string message;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : value_(std::move(error)) {}

  explicit operator bool() const noexcept { return value_.index() == 0; }
  const T& operator*() const& {
    MACHIDA_CHECK(*this, "value taken from an error");
    return std::get<0>(value_);
  }
  T&& operator*() && {
    MACHIDA_CHECK(*this, "value taken from an error");
    return std::move(std::get<0>(value_));
  }
  const T* operator->() const { return &**this; }
  const std::string& error() const { return std::get<1>(value_).message; }

 private:
  std::variant<T, Error> value_;
};

}  // namespace machida
