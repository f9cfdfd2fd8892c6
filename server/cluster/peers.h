// The other workers of the application, as this one talks to them: over links in the server,
// through queues in a test or a simulation.
#pragma once

#include <cstdint>

#include "server/wire/link_message.h"

namespace machida::cluster {

class Peers {
 public:
  virtual ~Peers() = default;
  virtual std::uint32_t own() const = 0;
  virtual std::uint32_t workers() const = 0;
  // In order per worker; never back into the sender before it returns. Not to oneself.
  virtual void send(std::uint32_t worker, const wire::LinkMessage& message) = 0;

  void send_all(const wire::LinkMessage& message) {
    for (std::uint32_t worker = 0; worker < workers(); ++worker)
      if (worker != own()) send(worker, message);
  }
};

}  // namespace machida::cluster
