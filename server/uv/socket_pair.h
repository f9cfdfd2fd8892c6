// Connections between processes that nobody else can reach: both ends are made here and one is
// handed to a program that is started.
#pragma once

#include <utility>

#include "server/base/result.h"

namespace machida::uv {

// A descriptor that is closed with its owner, and that programs started from here do not get by
// accident.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();

  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

struct SocketPair {
  Descriptor one, other;
};

Result<SocketPair> socket_pair();

}  // namespace machida::uv
