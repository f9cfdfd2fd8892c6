#include "server/uv/stop_line.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "server/uv/stop_signal.h"

namespace machida::uv {
namespace {

thread_local StopLine* t_here = nullptr;

}  // namespace

StopLine::StopLine(Descriptor line, const std::vector<int>& peers)
    : line_(std::move(line)), outer_(t_here) {
  looked_at_.push_back({line_.get(), POLLIN, 0});
  for (const int peer : peers) {
    if (peer < 0) continue;
    peers_.emplace_back(fcntl(peer, F_DUPFD_CLOEXEC, 0));
    if (peers_.back().get() < 0)
      throw std::runtime_error(std::string("a link can't be watched: ") + std::strerror(errno));
    looked_at_.push_back({peers_.back().get(), 0, 0});  // its end is told unasked
  }
  t_here = this;
}

StopLine::~StopLine() { t_here = outer_; }

void StopLine::tell() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(line_.get(), &one, sizeof one);
}

bool StopLine::told() const noexcept { return poll(looked_at_.data(), looked_at_.size(), 0) > 0; }

StopLine* StopLine::here() noexcept { return t_here; }

bool stop_asked() noexcept {
  StopLine* line = StopLine::here();
  if (!StopSignal::has_come()) return line && line->told();
  if (line) line->tell();
  return true;
}

}  // namespace machida::uv
