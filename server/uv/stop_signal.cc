#include "server/uv/stop_signal.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <utility>

#include "server/base/check.h"

namespace machida::uv {
namespace {

// A signal handler has no argument of its own, so these are the process's.
std::atomic<uv_async_t*> g_wake{nullptr};
std::atomic<int> g_arrived{0};
std::atomic<int> g_last{0};  // the newest one's number
std::atomic<bool> g_second_ends{true};
pid_t g_process = 0;                           // whose StopSignal it is
struct sigaction g_before_term, g_before_int;  // what was done before it

struct sigaction& before(int number) { return number == SIGTERM ? g_before_term : g_before_int; }

// Only what is allowed in a signal handler: atomics, uv_async_send, _exit, sigaction, raise.
void on_signal(int number) {
  if (getpid() != g_process) {  // a fork that user code has made: nobody drains there
    sigaction(number, &before(number), nullptr);
    raise(number);
    return;
  }
  g_last = number;
  if (g_arrived.fetch_add(1) > 0 && g_second_ends) _exit(128 + number);
  if (uv_async_t* wake = g_wake.load()) uv_async_send(wake);
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

void ignore_stop_signals() {
  std::signal(SIGTERM, SIG_IGN);
  std::signal(SIGINT, SIG_IGN);
}

SignalsWait::SignalsWait() {
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, &before_);
}

SignalsWait::~SignalsWait() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

bool SignalsWait::waiting() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGTERM) == 1 || sigismember(&pending, SIGINT) == 1;
}

StopSignal::StopSignal(Loop& loop, std::function<void()> on_stop,
                       std::function<void(int)> on_second, const std::vector<int>& numbers)
    : loop_(loop),
      on_stop_(std::move(on_stop)),
      on_second_(std::move(on_second)),
      numbers_(numbers),
      handle_(this) {
  MACHIDA_CHECK(!g_wake.load(), "one StopSignal per process");
  const auto on_wake = [](uv_async_t* raw) {
    if (auto* self = Handle<uv_async_t>::owner_of<StopSignal>(raw))
      self->loop_.guard([self] { self->on_wake(); });
  };
  require(uv_async_init(loop.raw(), handle_.raw(), on_wake), "uv_async_init");
  handle_.opened();
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_.raw()));
  g_process = getpid();
  g_arrived = 0;
  g_last = 0;
  g_second_ends = on_second_ == nullptr;
  g_wake = handle_.raw();
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int number : numbers_) sigaction(number, &action, &before(number));
}

bool StopSignal::exists() { return g_wake.load() != nullptr; }

void StopSignal::on_wake() {
  const int arrived = g_arrived;
  const int told = std::exchange(told_, arrived);
  if (told == 0 && arrived > 0) on_stop_();
  if (told < 2 && arrived > 1 && on_second_) on_second_(g_last);
}

int StopSignal::number() const { return g_last; }

bool StopSignal::has_come() { return g_wake.load() && g_arrived > 0; }

void StopSignal::ignore_later() {
  for (const int number : numbers_) before(number).sa_handler = SIG_IGN;
}

StopSignal::~StopSignal() {
  for (const int number : numbers_) {
    struct sigaction now{};
    sigaction(number, nullptr, &now);
    if (now.sa_handler == on_signal) sigaction(number, &before(number), nullptr);
  }
  g_wake = nullptr;
}

}  // namespace machida::uv
