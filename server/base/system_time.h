// What time it is outside: handed to whatever closes windows and ends timeouts, so that a test says
// what time it is.
#pragma once

#include <chrono>
#include <cstdint>

namespace machida {

class SystemTime {
 public:
  virtual ~SystemTime() = default;
  // Microseconds since 1970-01-01 00:00 UTC. It may go back when the system's clock is set.
  virtual std::int64_t now_us() const = 0;
};

// The system's clock.
class WallTime final : public SystemTime {
 public:
  std::int64_t now_us() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

}  // namespace machida
