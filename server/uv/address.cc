#include "server/uv/address.h"

#include <netdb.h>
#include <netinet/in.h>

#include <cstring>

#include "server/base/check.h"
#include "server/base/handle.h"

namespace machida::uv {
namespace {

addrinfo stream_hints() {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  return hints;
}

std::vector<Address> addresses_in(const addrinfo* found) {
  std::vector<Address> out;
  for (; found; found = found->ai_next) out.emplace_back(*found->ai_addr);
  return out;
}

Error unknown_host(const HostPort& where, const std::string& why) {
  return Error{"host '" + where.host + "' is unknown: " + why};
}

}  // namespace

Address::Address(const sockaddr& raw) {
  std::memcpy(&storage_, &raw,
              raw.sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
}

std::uint16_t Address::port() const noexcept {
  if (storage_.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
}

void Address::set_port(std::uint16_t port) noexcept {
  if (storage_.ss_family == AF_INET6)
    reinterpret_cast<sockaddr_in6*>(&storage_)->sin6_port = htons(port);
  else
    reinterpret_cast<sockaddr_in*>(&storage_)->sin_port = htons(port);
}

std::string Address::text() const {
  char name[INET6_ADDRSTRLEN] = "?";
  uv_ip_name(raw(), name, sizeof name);
  return HostPort{name, port()}.text();
}

Result<std::vector<Address>> resolve_now(const HostPort& where) {
  const addrinfo hints = stream_hints();
  addrinfo* raw = nullptr;
  const int status =
      getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &raw);
  if (status != 0) return unknown_host(where, gai_strerror(status));
  const CPtr<addrinfo, freeaddrinfo> found(raw);
  return addresses_in(found.get());
}

struct Resolver::Question {
  uv_getaddrinfo_t request{};
  Resolver* owner = nullptr;
};

Resolver::~Resolver() {
  if (open_) open_->owner = nullptr;
}

void Resolver::resolve(const HostPort& where, OnAddresses on_addresses) {
  MACHIDA_CHECK(!open_, "one question at a time");
  where_ = where;
  on_addresses_ = std::move(on_addresses);
  open_ = new Question;
  open_->owner = this;
  open_->request.data = open_;
  const auto on_answer = [](uv_getaddrinfo_t* request, int status, addrinfo* raw) {
    const std::unique_ptr<Question> question(static_cast<Question*>(request->data));
    const CPtr<addrinfo, uv_freeaddrinfo> found(raw);
    if (Resolver* self = question->owner)
      self->loop_.guard([self, status, &found] { self->answered(status, found.get()); });
  };
  const addrinfo hints = stream_hints();
  const int status = uv_getaddrinfo(loop_.raw(), &open_->request, on_answer, where.host.c_str(),
                                    std::to_string(where.port).c_str(), &hints);
  if (status == 0) return;
  delete std::exchange(open_, nullptr);
  on_addresses_(unknown_host(where, error_text(status)));
}

void Resolver::answered(int status, addrinfo* found) {
  open_ = nullptr;
  if (status != 0)
    on_addresses_(unknown_host(where_, error_text(status)));
  else
    on_addresses_(addresses_in(found));
}

}  // namespace machida::uv
