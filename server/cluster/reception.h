// Accepts the clients of all workers and deals them out, one worker after the other: workers that
// accepted for themselves would leave a burst of clients to whichever woke first. In the
// supervisor; loop's thread.
//
// While it is closed, and while no worker takes a client, clients wait in the kernel.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/cluster/kept_connections.h"
#include "server/cluster/turns.h"
#include "server/uv/accept_watch.h"
#include "server/uv/loop.h"
#include "server/uv/socket_pair.h"
#include "server/uv/timer.h"

namespace machida::cluster {

class Reception {
 public:
  // Where the clients of a pipeline come in.
  struct Door {
    std::uint32_t pipeline = 0;
    int socket = -1;      // bound; its owner's, who outlives this
    std::string address;  // as people write it
  };
  // Gives a worker a client, without waiting. False: it can't take it now. The descriptor stays the
  // caller's, too.
  using Give = std::function<bool(std::uint32_t worker, std::uint32_t pipeline, int client)>;

  Reception(uv::Loop& loop, std::vector<Door> doors, Turns turns, Give give);

  // All workers can take clients. Throws std::runtime_error when a door can't be listened on.
  void open();
  // Idempotent. Clients that no worker has taken stay with it.
  void close();
  // Closed: those clients.
  KeptConnections release();

 private:
  void on_client(std::uint32_t pipeline, uv::Descriptor client);
  bool deal_out(const KeptConnection& client);
  void try_again();

  uv::Loop& loop_;
  const std::vector<Door> doors_;
  Turns turns_;
  const Give give_;
  std::vector<std::unique_ptr<uv::AcceptWatch>> watches_;  // of the doors, while it is open
  KeptConnections untaken_;  // while there are some, no more are accepted
  uv::Timer later_;
};

}  // namespace machida::cluster
