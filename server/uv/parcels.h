// Open descriptors on their way from one process to another, each time with a few bytes that say
// what they are. A parcel arrives as a whole or not at all.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.h"
#include "server/uv/handle.h"
#include "server/uv/loop.h"
#include "server/uv/socket_pair.h"

namespace machida::uv {

struct Parcel {
  std::string text;
  std::vector<Descriptor> descriptors;
};

inline constexpr std::size_t kParcelBytesMax = 4096;
inline constexpr std::size_t kParcelDescriptorsMax = 64;

// The two ends that parcels go between.
Result<SocketPair> parcel_pair();

// Blocks while the other end has not taken what was sent before, for at most `patience_ms` without
// progress. The descriptors stay the caller's, too. Returns why it could not be sent, or "".
std::string send_parcel(int socket, std::string_view text, std::span<const int> descriptors,
                        int patience_ms);

// Takes what arrives at one end, on the loop's thread. Does not keep the loop alive.
class ParcelReader {
 public:
  ParcelReader(Loop& loop, Descriptor socket, std::function<void(Parcel)> on_parcel);

  int socket() const noexcept { return socket_.get(); }
  // What has arrived is taken now: who sent it has ended.
  void take_all();

 private:
  // False: there is none, and perhaps never will be.
  bool take_one();

  Loop& loop_;
  Descriptor socket_;
  std::function<void(Parcel)> on_parcel_;
  Handle<uv_poll_t> handle_;
};

}  // namespace machida::uv
