// Memory that libuv may touch until its close callback. The owner pointer is cut first: a callback
// that comes late finds nobody and returns.
#pragma once

#include <uv.h>

#include <utility>

namespace machida::uv {

template <class H>
class Handle {
 public:
  explicit Handle(void* owner) : block_(new Block{}) {
    block_->owner = owner;
    block_->raw.data = block_;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    Block* block = std::exchange(block_, nullptr);
    block->owner = nullptr;
    if (!block->open) {
      delete block;
      return;
    }
    uv_close(reinterpret_cast<uv_handle_t*>(&block->raw),
             [](uv_handle_t* handle) { delete static_cast<Block*>(handle->data); });
  }

  H* raw() noexcept { return &block_->raw; }
  void opened() noexcept { block_->open = true; }  // call after uv_*_init succeeded

  // Null when the owner is gone.
  template <class Owner>
  static Owner* owner_of(H* handle) noexcept {
    return static_cast<Owner*>(static_cast<Block*>(handle->data)->owner);
  }

 private:
  struct Block {
    H raw{};
    void* owner = nullptr;
    bool open = false;
  };
  Block* block_;
};

}  // namespace machida::uv
