#include "server/admin.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace machida {
namespace {

constexpr std::string_view kScale = "scale ";
constexpr std::string_view kError = "error: ";
constexpr std::size_t kLineBytesMax = 4096;

// Without its end; empty when none came.
std::string read_line(int socket) {
  std::string line;
  char byte = 0;
  while (line.size() < kLineBytesMax && ::read(socket, &byte, 1) == 1) {
    if (byte == '\n') return line;
    line.push_back(byte);
  }
  return {};
}

void write_line(int socket, const std::string& line) {
  const std::string text = line + "\n";
  // Who asked may be gone.
  if (::send(socket, text.data(), text.size(), MSG_NOSIGNAL) < 0) return;
}

std::optional<std::uint32_t> number_in(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

// The line comes with the connection; nobody may keep the supervisor from its workers.
void wait_at_most_a_second(int socket) {
  const timeval second{.tv_sec = 1, .tv_usec = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
}

}  // namespace

Admin::Admin(const std::string& directory) {
  Result<std::unique_ptr<uv::UnixListener>> made =
      uv::UnixListener::make(directory + "/" + kSocket);
  if (!made) throw std::runtime_error(made.error());
  listener_ = *std::move(made);
}

std::unique_ptr<uv::UnixListener::Watch> Admin::watch(uv::Loop& loop, OnScale on_scale) {
  return std::make_unique<uv::UnixListener::Watch>(
      loop, *listener_, [this, on_scale = std::move(on_scale)](uv::Descriptor connection) {
        wait_at_most_a_second(connection.get());
        const std::string line = read_line(connection.get());
        const std::optional<std::uint32_t> workers =
            line.starts_with(kScale) ? number_in(std::string_view(line).substr(kScale.size()))
                                     : std::nullopt;
        const std::string wrong =
            workers ? on_scale(*workers) : "'" + line + "' is nothing that can be asked";
        if (!wrong.empty()) return write_line(connection.get(), std::string(kError) + wrong);
        asking_ = std::move(connection);
      });
}

void Admin::done(const std::string& text, bool wrong) {
  const uv::Descriptor asking = std::exchange(asking_, uv::Descriptor());
  if (asking.get() >= 0) write_line(asking.get(), (wrong ? std::string(kError) : "") + text);
}

int scale_main(int argc, char** argv) {
  const std::optional<std::uint32_t> workers =
      argc == 4 ? number_in(argv[2]) : std::optional<std::uint32_t>();
  if (!workers) {
    std::fputs(
        "usage: machida scale N DIR\n\nMakes the server that runs on the resilience directory DIR "
        "go on with N workers.\n",
        stderr);
    return 2;
  }
  const Result<uv::Descriptor> connection =
      uv::connect_unix(std::string(argv[3]) + "/" + Admin::kSocket);
  if (!connection) {
    std::fprintf(stderr, "machida: no server that was started with --workers answers on %s\n",
                 connection.error().c_str());
    return 1;
  }
  write_line(connection->get(), std::string(kScale) + std::to_string(*workers));
  const std::string answer = read_line(connection->get());
  if (answer.empty() || answer.starts_with(kError)) {
    std::fprintf(stderr, "machida: %s\n",
                 answer.empty() ? "the server has ended" : answer.c_str() + kError.size());
    return 1;
  }
  std::printf("%s\n", answer.c_str());
  return 0;
}

}  // namespace machida
