#include "server/uv/timer.h"

#include "server/base/check.h"

namespace machida::uv {

Timer::Timer(Loop& loop, std::function<void()> on_tick)
    : loop_(loop), on_tick_(std::move(on_tick)), handle_(this) {
  require(uv_timer_init(loop.raw(), handle_.raw()), "uv_timer_init");
  handle_.opened();
}

void Timer::start(std::uint64_t delay_ms) {
  MACHIDA_CHECK(delay_ms > 0, "a timer of 0 ms starves the loop");
  const auto on_timer = [](uv_timer_t* raw) {
    if (auto* self = Handle<uv_timer_t>::owner_of<Timer>(raw)) self->loop_.guard(self->on_tick_);
  };
  require(uv_timer_start(handle_.raw(), on_timer, delay_ms, 0), "uv_timer_start");
}

void Timer::stop() { uv_timer_stop(handle_.raw()); }

NextTurn::NextTurn(Loop& loop, std::function<void()> on_turn)
    : loop_(loop), on_turn_(std::move(on_turn)), handle_(this) {
  require(uv_idle_init(loop.raw(), handle_.raw()), "uv_idle_init");
  handle_.opened();
}

void NextTurn::ask() {
  const auto on_idle = [](uv_idle_t* raw) {
    uv_idle_stop(raw);
    if (auto* self = Handle<uv_idle_t>::owner_of<NextTurn>(raw)) self->loop_.guard(self->on_turn_);
  };
  require(uv_idle_start(handle_.raw(), on_idle), "uv_idle_start");
}

TurnEnd::TurnEnd(Loop& loop, std::function<void()> on_end)
    : loop_(loop), on_end_(std::move(on_end)), handle_(this) {
  require(uv_prepare_init(loop.raw(), handle_.raw()), "uv_prepare_init");
  handle_.opened();
  const auto on_prepare = [](uv_prepare_t* raw) {
    if (auto* self = Handle<uv_prepare_t>::owner_of<TurnEnd>(raw)) self->loop_.guard(self->on_end_);
  };
  require(uv_prepare_start(handle_.raw(), on_prepare), "uv_prepare_start");
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_.raw()));
}

}  // namespace machida::uv
