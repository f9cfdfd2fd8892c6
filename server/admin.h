// What people may ask a running server over the Unix socket in its resilience directory or the
// address of --external, and the commands that ask: one line each way.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/base/host_port.h"
#include "server/uv/accept_watch.h"
#include "server/uv/bound_socket.h"
#include "server/uv/loop.h"
#include "server/uv/socket_pair.h"
#include "server/uv/unix_listener.h"

namespace machida {

class Admin {
 public:
  static constexpr const char* kSocket = "admin.sock";  // in the resilience directory

  // Who may write the directory may ask.
  std::string listen_in(const std::string& directory);
  // Whoever reaches the address may ask. Both return why that is not possible, or "".
  std::string listen_at(const HostPort& where);

  // Called for "scale N"; returns why not, or "": then the answer comes later, of done().
  using OnScale = std::function<std::string(std::uint32_t workers)>;
  // Until what is returned ends.
  using Watches = std::vector<std::unique_ptr<uv::AcceptWatch>>;
  Watches watch(uv::Loop& loop, const OnScale& on_scale);
  // What was asked for last is done; or is not, and `wrong` says why.
  void done(const std::string& text, bool wrong = false);

 private:
  void answer(uv::Descriptor connection, const OnScale& on_scale);

  std::unique_ptr<uv::UnixListener> in_directory_;
  std::vector<uv::BoundSocket> at_addresses_;
  uv::Descriptor asking_;
};

// `machida scale N DIR` and `machida scale N HOST:PORT`. Returns the exit status.
int scale_main(int argc, char** argv);

}  // namespace machida
