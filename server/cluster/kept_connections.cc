#include "server/cluster/kept_connections.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "server/base/log.h"
#include "server/uv/loop.h"

namespace machida::cluster {
namespace {

constexpr std::string_view kSockets = "sockets";
constexpr std::string_view kList = "list";
constexpr int kPatienceMs = 10'000;  // for the supervisor, which has nothing else to do

// Of one connection in a list; its unread bytes follow.
struct Entry {
  std::uint32_t end, pipeline, sink, unread_bytes;
};

std::string wrong(const char* what) { return std::string(what) + ": " + uv::error_text(-errno); }

std::string text_of(int list) {
  std::string text;
  char part[64 << 10];
  for (off_t at = 0;;) {
    const ssize_t size = ::pread(list, part, sizeof part, at);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw std::runtime_error(wrong("kept connections can't be read"));
    if (size == 0) return text;
    text.append(part, static_cast<std::size_t>(size));
    at += size;
  }
}

}  // namespace

Result<uv::Descriptor> write_list(const KeptConnections& connections) {
  std::string text;
  for (const KeptConnection& kept : connections) {
    const Entry entry{static_cast<std::uint32_t>(kept.end), kept.pipeline, kept.sink,
                      static_cast<std::uint32_t>(kept.open.unread.size())};
    text.append(reinterpret_cast<const char*>(&entry), sizeof entry);
    text += kept.open.unread;
  }
  uv::Descriptor list(::memfd_create("machida-kept", MFD_CLOEXEC));
  if (list.get() < 0) return Error{wrong("no memory for the list of connections")};
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t written = ::write(list.get(), rest.data(), rest.size());
    if (written < 0 && errno != EINTR) return Error{wrong("the list of connections")};
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  }
  return list;
}

KeptConnections read_list(int list, std::vector<uv::Descriptor> sockets) {
  const std::string text = text_of(list);
  std::string_view rest = text;
  KeptConnections out;
  for (uv::Descriptor& socket : sockets) {
    Entry entry;
    if (rest.size() < sizeof entry) break;
    std::memcpy(&entry, rest.data(), sizeof entry);
    rest.remove_prefix(sizeof entry);
    if (rest.size() < entry.unread_bytes) break;
    out.push_back({static_cast<KeptConnection::End>(entry.end),
                   entry.pipeline,
                   entry.sink,
                   {std::move(socket), std::string(rest.substr(0, entry.unread_bytes))}});
    rest.remove_prefix(entry.unread_bytes);
  }
  if (!rest.empty() || out.size() != sockets.size())
    throw std::runtime_error("the list of kept connections does not fit the connections");
  return out;
}

std::string hand_over(int channel, const KeptConnections& connections) {
  const Result<uv::Descriptor> list = write_list(connections);
  if (!list) return list.error();
  std::vector<int> sockets;
  for (const KeptConnection& kept : connections) sockets.push_back(kept.open.socket.get());
  for (std::span<const int> rest = sockets; !rest.empty();) {
    const std::size_t count = std::min(rest.size(), uv::kParcelDescriptorsMax);
    std::string why = uv::send_parcel(channel, kSockets, rest.first(count), kPatienceMs);
    if (!why.empty()) return why;
    rest = rest.subspan(count);
  }
  const int last = list->get();
  return uv::send_parcel(channel, kList, {&last, 1}, kPatienceMs);
}

void KeptReceiver::take(uv::Parcel parcel) {
  if (parcel.text == kSockets) {
    for (uv::Descriptor& socket : parcel.descriptors) sockets_.push_back(std::move(socket));
    return;
  }
  std::vector<uv::Descriptor> sockets = std::exchange(sockets_, {});
  try {
    if (parcel.text != kList || parcel.descriptors.size() != 1)
      throw std::runtime_error("their list has not arrived");
    complete_ = read_list(parcel.descriptors.front().get(), std::move(sockets));
  } catch (const std::runtime_error& error) {
    log::warn(
        "the connections of a worker are closed instead of handed on: {} (is the limit of open "
        "files too low for all of them in one process?)",
        error.what());
  }
}

std::vector<KeptConnections> deal(std::vector<KeptConnections> of_old, Turns& turns) {
  std::vector<KeptConnections> out(turns.workers());
  for (std::uint32_t old = 0; old < of_old.size(); ++old)
    for (KeptConnection& kept : of_old[old]) {
      if (kept.end == KeptConnection::End::kClient)
        out[turns.next(kept.pipeline)].push_back(std::move(kept));
      else if (old < turns.workers())
        out[old].push_back(std::move(kept));
    }
  return out;
}

}  // namespace machida::cluster
