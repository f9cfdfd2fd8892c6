// Owns a C object and frees it with the one C function that may free it.
#pragma once

#include <memory>

namespace machida {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};

template <class T, auto Free>
using CPtr = std::unique_ptr<T, FreeWith<Free>>;

}  // namespace machida
