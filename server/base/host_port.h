// A TCP endpoint as a person writes it: host name or address, and port.
#pragma once

#include <cstdint>
#include <string>

#include "server/base/result.h"

namespace machida {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;

  // "host:port", with brackets around an IPv6 address.
  std::string text() const;
  bool operator==(const HostPort&) const = default;
};

// A decimal port, 0 to 65535 (0: the system chooses).
Result<std::uint16_t> parse_port(const std::string& text);

// "host:port", with brackets around an IPv6 address.
Result<HostPort> parse_host_port(const std::string& text);

}  // namespace machida
