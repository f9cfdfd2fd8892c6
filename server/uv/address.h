// Socket addresses, and how names become them.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/base/host_port.h"
#include "server/base/result.h"
#include "server/uv/loop.h"

namespace machida::uv {

class Address {
 public:
  explicit Address(const sockaddr& raw);
  const sockaddr* raw() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
  std::uint16_t port() const noexcept;
  void set_port(std::uint16_t port) noexcept;
  std::string text() const;  // "127.0.0.1:7010", "[::1]:7010"

 private:
  sockaddr_storage storage_{};
};

// All addresses of a name, in the system's order. Blocks: for the start of the server.
Result<std::vector<Address>> resolve_now(const HostPort& where);

// The same on libuv's threads. One question at a time; destroying it forgets the answer.
class Resolver {
 public:
  using OnAddresses = std::function<void(Result<std::vector<Address>>)>;

  explicit Resolver(Loop& loop) : loop_(loop) {}
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  void resolve(const HostPort& where, OnAddresses on_addresses);

 private:
  struct Question;
  void answered(int status, addrinfo* found);

  Loop& loop_;
  Question* open_ = nullptr;  // lives until libuv answers
  HostPort where_;
  OnAddresses on_addresses_;
};

}  // namespace machida::uv
