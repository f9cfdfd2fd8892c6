// Listens for a pipeline's clients, cuts what they send into frames and runs the pipeline on them.
// Any number of connections; order is kept per connection. Worker's thread.
// A connection whose bytes make no sense is closed with one log line and a count; others go on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/base/host_port.h"
#include "server/base/result.h"
#include "server/flow/input_log.h"
#include "server/flow/intake.h"
#include "server/flow/pipeline.h"
#include "server/metrics/counter.h"
#include "server/source/source.h"
#include "server/uv/accept_watch.h"
#include "server/uv/bound_socket.h"
#include "server/uv/loop.h"
#include "server/uv/timer.h"
#include "server/wire/framing.h"

namespace machida::source {

class TcpConnection;

class TcpSource final : public Source {
 public:
  static constexpr const char* kBadConnections = "machida_source_bad_connections_total";
  static constexpr const char* kBytes = "machida_source_read_bytes_total";

  // `log`: where frames are written down before they are processed; null: nowhere.
  TcpSource(uv::Loop& loop, flow::Pipeline& pipeline, flow::Intake& intake, HostPort where,
            wire::Framing framing, flow::InputLog* log, metrics::Registry& metrics);
  // Before open(): another process listens, and tells people; clients come by take_over().
  void leave_listening() { listens_ = false; }
  ~TcpSource() override;

  // Every address of the name; they are listened on from open() on.
  std::string reserve() override;
  void open(OnOpen on_open) override;
  void drain() override;
  bool drained() const override;
  void take_over(std::vector<uv::OpenConnection> connections) override;
  std::vector<uv::OpenConnection> release() override;

 private:
  friend class TcpConnection;
  Result<std::vector<std::string>> listen();
  void open_taken_over();
  void add(uv::OpenConnection open);
  void on_intake();
  void work_on();
  void continue_soon() { soon_.ask(); }
  void close(std::uint64_t id);
  void close_bad(std::uint64_t id, const std::string& why);

  uv::Loop& loop_;
  flow::Pipeline& pipeline_;
  flow::Intake& intake_;
  HostPort where_;
  wire::Framing framing_;
  flow::InputLog* log_;
  bool listens_ = true;
  bool open_ = false;
  std::vector<uv::OpenConnection> taken_over_;  // not read: it is not open, or drains
  metrics::Counter& bad_connections_;
  metrics::Counter& bytes_;
  uv::NextTurn soon_;  // takes up connections that stopped in the middle of what they had read
  std::vector<uv::BoundSocket> sockets_;
  std::vector<std::unique_ptr<uv::AcceptWatch>> watches_;
  std::unordered_map<std::uint64_t, std::unique_ptr<TcpConnection>> connections_;
  std::uint64_t next_id_ = 0;
  std::vector<std::string_view> frames_;  // of the batch in work, kept for its capacity
  bool draining_ = false;
};

}  // namespace machida::source
