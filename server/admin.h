// What people may ask a running server over the Unix socket in its resilience directory, and the
// commands that ask: one line each way.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "server/base/result.h"
#include "server/uv/loop.h"
#include "server/uv/socket_pair.h"
#include "server/uv/unix_listener.h"

namespace machida {

class Admin {
 public:
  static constexpr const char* kSocket = "admin.sock";  // in the resilience directory

  // Throws std::runtime_error when the socket can't be made.
  explicit Admin(const std::string& directory);

  // Called for "scale N"; returns why not, or "": then the answer comes later, of done().
  using OnScale = std::function<std::string(std::uint32_t workers)>;
  std::unique_ptr<uv::UnixListener::Watch> watch(uv::Loop& loop, OnScale on_scale);
  // What was asked for last is done; or is not, and `wrong` says why.
  void done(const std::string& text, bool wrong = false);

 private:
  std::unique_ptr<uv::UnixListener> listener_;
  uv::Descriptor asking_;
};

// `machida scale N DIR`. Returns the exit status.
int scale_main(int argc, char** argv);

}  // namespace machida
