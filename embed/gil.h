// Permission to touch Python, as a parameter: a function that takes `const Gil&` needs the calling
// thread to hold the interpreter lock, and the compiler proves that somebody took it.
#pragma once

namespace machida::embed {

class Gil {
 public:
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

 protected:
  Gil() = default;
  ~Gil() = default;
};

// Takes the lock for its scope. May be nested. One per batch, not one per record.
class [[nodiscard]] GilLock final : public Gil {
 public:
  GilLock() noexcept;
  ~GilLock();

 private:
  int state_;
};

// For a function that Python itself called: the lock is held already.
class HeldGil final : public Gil {
 public:
  HeldGil() = default;
};

// Lets other threads have the lock for its scope, of a thread that holds it.
class [[nodiscard]] GilRelease final {
 public:
  GilRelease() noexcept;
  ~GilRelease();
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;

 private:
  void* state_;
};

}  // namespace machida::embed
