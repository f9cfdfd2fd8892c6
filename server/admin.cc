#include "server/admin.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <utility>

#include "server/base/log.h"
#include "server/store/part_set.h"

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

// A directory with what dataflows keep.
bool is_of_dataflows(const std::string& where) {
  return std::filesystem::is_directory(where) && !store::part_numbers(where).empty();
}

// `where`: a directory, or else an address.
Result<uv::Descriptor> connect(const std::string& where) {
  if (!std::filesystem::is_directory(where))
    if (const Result<HostPort> address = parse_host_port(where)) return uv::connect_now(*address);
  return uv::connect_unix(where + "/" + Admin::kSocket);
}

}  // namespace

std::string Admin::listen_in(const std::string& directory) {
  Result<std::unique_ptr<uv::UnixListener>> made =
      uv::UnixListener::make(directory + "/" + kSocket);
  if (!made) return made.error();
  in_directory_ = *std::move(made);
  return {};
}

std::string Admin::listen_at(const HostPort& where) {
  const std::string prefix = "--external " + where.text() + ": can't be listened on: ";
  Result<std::vector<uv::BoundSocket>> bound = uv::bind_all(where);
  if (!bound) return prefix + bound.error();
  at_addresses_ = *std::move(bound);
  for (const uv::BoundSocket& one : at_addresses_) {
    if (const std::string wrong = uv::start_listening(one.socket.get()); !wrong.empty())
      return prefix + wrong;
    log::info("`machida scale` may ask at {}", one.address.text());
  }
  return {};
}

Admin::Watches Admin::watch(uv::Loop& loop, const OnScale& on_scale) {
  const auto on_connection = [this, on_scale](uv::Descriptor connection) {
    answer(std::move(connection), on_scale);
  };
  Watches watches;
  if (in_directory_)
    watches.push_back(
        std::make_unique<uv::AcceptWatch>(loop, in_directory_->socket(), on_connection));
  for (const uv::BoundSocket& one : at_addresses_)
    watches.push_back(std::make_unique<uv::AcceptWatch>(loop, one.socket.get(), on_connection));
  return watches;
}

void Admin::answer(uv::Descriptor connection, const OnScale& on_scale) {
  wait_at_most_a_second(connection.get());
  const std::string line = read_line(connection.get());
  const std::optional<std::uint32_t> workers =
      line.starts_with(kScale) ? number_in(std::string_view(line).substr(kScale.size()))
                               : std::nullopt;
  const std::string wrong = workers ? on_scale(*workers) : "only 'scale N' can be asked here";
  if (!wrong.empty()) return write_line(connection.get(), std::string(kError) + wrong);
  asking_ = std::move(connection);
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
        "usage: machida scale N DIR\n       machida scale N HOST:PORT\n\nMakes the server that "
        "runs "
        "on the resilience directory DIR, or was started with --external HOST:PORT, go on with N "
        "workers.\n",
        stderr);
    return 2;
  }
  if (is_of_dataflows(argv[3])) {
    std::fprintf(
        stderr,
        "machida: %s has the recovery partitions of a dataflow, which can't be scaled while "
        "it runs: stop it, and start it with another -w\n",
        argv[3]);
    return 1;
  }
  const Result<uv::Descriptor> connection = connect(argv[3]);
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
