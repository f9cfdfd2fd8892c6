#include "server/uv/parcels.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "server/base/check.h"

namespace machida::uv {
namespace {

constexpr std::size_t kControlBytes = CMSG_SPACE(kParcelDescriptorsMax * sizeof(int));
constexpr std::chrono::milliseconds kOthersTakeTime{5};

// Room for the descriptors of one message, aligned as the system wants it.
union Control {
  char bytes[kControlBytes];
  cmsghdr aligned;
};

ssize_t send_once(int socket, std::string_view text, std::span<const int> descriptors) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  Control control{};
  if (!descriptors.empty()) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Nothing, or the end: an empty text is never sent.
std::optional<Parcel> receive(int socket, bool& ended) {
  char text[kParcelBytesMax];
  Control control{};
  iovec part{text, sizeof text};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  const ssize_t size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  ended = size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
  if (size <= 0) return std::nullopt;
  Parcel parcel{.text = std::string(text, static_cast<std::size_t>(size)), .descriptors = {}};
  for (cmsghdr* at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(at) + i * sizeof(int), sizeof descriptor);
      parcel.descriptors.emplace_back(descriptor);
    }
  }
  return parcel;
}

}  // namespace

Result<SocketPair> parcel_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    return Error{"no socket pair: " + error_text(-errno)};
  return SocketPair{Descriptor(ends[0]), Descriptor(ends[1])};
}

std::string send_parcel(int socket, std::string_view text, std::span<const int> descriptors,
                        int patience_ms) {
  MACHIDA_CHECK(!text.empty() && text.size() <= kParcelBytesMax &&
                    descriptors.size() <= kParcelDescriptorsMax,
                "a parcel is small");
  const auto start = std::chrono::steady_clock::now();
  while (send_once(socket, text, descriptors) < 0) {
    const int error = errno;
    const bool full = error == EAGAIN;
    // So many descriptors are on their way already: the system has a limit.
    if (error != EINTR && !full && error != ETOOMANYREFS) return error_text(-error);
    if (std::chrono::steady_clock::now() - start > std::chrono::milliseconds(patience_ms))
      return error_text(-error);
    pollfd room{.fd = socket, .events = POLLOUT, .revents = 0};
    if (full)
      ::poll(&room, 1, patience_ms);
    else
      std::this_thread::sleep_for(kOthersTakeTime);
  }
  return {};
}

ParcelReader::ParcelReader(Loop& loop, Descriptor socket, std::function<void(Parcel)> on_parcel)
    : loop_(loop), socket_(std::move(socket)), on_parcel_(std::move(on_parcel)), handle_(this) {
  require(uv_poll_init(loop.raw(), handle_.raw(), socket_.get()), "uv_poll_init");
  handle_.opened();
  const auto on_readable = [](uv_poll_t* raw, int, int) {
    auto* self = Handle<uv_poll_t>::owner_of<ParcelReader>(raw);
    if (self) self->loop_.guard([self] { self->take_one(); });
  };
  require(uv_poll_start(handle_.raw(), UV_READABLE, on_readable), "uv_poll_start");
  uv_unref(reinterpret_cast<uv_handle_t*>(handle_.raw()));
}

bool ParcelReader::take_one() {
  bool ended = false;
  std::optional<Parcel> parcel = receive(socket_.get(), ended);
  if (ended) uv_poll_stop(handle_.raw());
  if (!parcel) return false;
  on_parcel_(*std::move(parcel));
  return true;
}

void ParcelReader::take_all() {
  while (take_one()) {
  }
}

}  // namespace machida::uv
