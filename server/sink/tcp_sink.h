// Sends a pipeline's outputs over one TCP connection, verbatim and in order. Reconnects for ever,
// with backoff; what the peer's system has not acknowledged is sent again from an output's start,
// so a peer that comes back misses nothing that was accepted while it was away, and may see the
// last outputs before the break twice. A queue that is full pauses the sources. Worker's thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/host_port.h"
#include "server/flow/intake_hold.h"
#include "server/flow/outlet.h"
#include "server/metrics/counter.h"
#include "server/sink/send_queue.h"
#include "server/sink/sink.h"
#include "server/uv/address.h"
#include "server/uv/socket_pair.h"
#include "server/uv/tcp_stream.h"
#include "server/uv/timer.h"

namespace machida::sink {

class TcpSink final : public Sink, public flow::Outlet, public uv::StreamEvents {
 public:
  static constexpr const char* kBytes = "machida_sink_written_bytes_total";
  static constexpr const char* kReconnects = "machida_sink_reconnects_total";

  // Above the first the sources pause, below the second they go on.
  static constexpr std::size_t kQueueBytesMax = 4u << 20;
  static constexpr std::size_t kQueueBytesLow = 1u << 20;

  // `on_connected` is called at every connection made.
  TcpSink(uv::Loop& loop, flow::Intake& intake, HostPort where, metrics::Registry& metrics,
          std::function<void()> on_connected);

  // Before open(): goes on with the connection that another sink has released.
  void take_over(uv::Descriptor connection) { taken_over_ = std::move(connection); }

  void open() override;
  bool connected() const override { return phase_ == Phase::kConnected; }
  bool drained() override;
  std::string undelivered() const override;
  // When drained: the connection, for another sink of the same place to go on with; nothing when
  // there is none.
  uv::Descriptor release();

  void write(std::string_view bytes) override;
  // Delivered means: the peer's system has acknowledged it.
  std::uint64_t mark() override { return queue_.accepted(); }
  bool delivered(std::uint64_t mark) override;

 private:
  enum class Phase { kIdle, kResolving, kConnecting, kConnected, kWaiting };

  void on_connected(const std::string& error) override;
  void on_read(std::string_view) override {}  // a sink's peer has nothing to say
  void on_end(const std::string& error) override;
  void on_written(const std::string& error) override;

  void begin();
  void try_next_address();
  void failed(const std::string& why);
  void lost(const std::string& why);
  void flush();
  void follow_queue();
  void look_at_acknowledged();

  uv::Loop& loop_;
  flow::IntakeHold intake_;
  HostPort where_;
  metrics::Counter& bytes_;
  metrics::Counter& reconnects_;
  std::function<void()> on_connected_;

  Phase phase_ = Phase::kIdle;
  uv::Resolver resolver_;
  std::vector<uv::Address> addresses_;  // still to be tried
  std::unique_ptr<uv::TcpStream> stream_;
  uv::Descriptor taken_over_;  // until it opens
  uv::Timer retry_;
  uv::TurnEnd turn_end_;
  std::uint64_t backoff_ms_;
  bool said_so_ = false;  // that the peer can't be reached
  bool was_connected_ = false;

  SendQueue queue_;
  std::vector<std::string_view> in_flight_;
  std::size_t in_flight_bytes_ = 0;
};

}  // namespace machida::sink
