#include "server/base/host_port.h"

#include <charconv>

namespace machida {

std::string HostPort::text() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<std::uint16_t> parse_port(const std::string& text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || text.empty())
    return Error{"'" + text + "' is not a port (0 to 65535)"};
  return port;
}

Result<HostPort> parse_host_port(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return Error{"'" + text + "' is no HOST:PORT"};
  const Result<std::uint16_t> port = parse_port(text.substr(colon + 1));
  if (!port) return Error{"'" + text + "': " + port.error()};
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  return HostPort{std::move(host), *port};
}

}  // namespace machida
