// One peer: another worker of this application, or its supervisor. Messages go out in order, those
// of one turn of the loop in one write; what arrives is handed on at once, so that a link is always
// drained, however full the other direction is. Loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/metrics/counter.h"
#include "server/uv/pipe_stream.h"
#include "server/uv/timer.h"
#include "server/wire/link_message.h"

namespace machida::cluster {

class Link;

// What happens on a link. Only on_lost may destroy it.
class LinkEvents {
 public:
  virtual ~LinkEvents() = default;
  // All messages of one read, without the Hello; what they point to is valid during the call.
  virtual void on_messages(Link& from, std::span<const wire::LinkMessage> messages) = 0;
  // More waits to be sent than kQueueBytesMax: nothing more should come in from outside. Called
  // within send().
  virtual void on_full(Link&) {}
  // Less than kQueueBytesLow again.
  virtual void on_room(Link&) {}
  // Once; nothing comes or goes from here on. `why` is empty when the peer closed or ended, and
  // otherwise what it said that makes no sense.
  virtual void on_lost(Link& link, const std::string& why) = 0;
};

// Who is at the two ends. The Hello of each end is held against it.
struct LinkEnds {
  std::string application;
  std::uint32_t workers = 0;
  std::uint32_t own = 0;   // a worker's index or wire::Hello::kSupervisor
  std::uint32_t peer = 0;  // the same of the other end
};

class Link final : public uv::StreamEvents {
 public:
  static constexpr const char* kSent = "machida_cluster_link_sent_bytes_total";
  static constexpr const char* kReceived = "machida_cluster_link_received_bytes_total";

  static constexpr std::size_t kQueueBytesMax = 4u << 20;
  static constexpr std::size_t kQueueBytesLow = 1u << 20;

  // Says Hello and starts reading. `fd` is one end of a uv::socket_pair.
  Link(uv::Loop& loop, LinkEvents& events, LinkEnds ends, uv::Descriptor fd,
       metrics::Registry& metrics);

  // Queues the message, also over the limit. Does nothing when the link is lost.
  void send(const wire::LinkMessage& message);
  // What has collected leaves at once, not at the turn's end.
  void flush();

  std::uint32_t peer() const noexcept { return ends_.peer; }
  // Not yet taken by the system.
  std::size_t queued_bytes() noexcept;
  bool full() const noexcept { return full_; }

 private:
  // What has collected leaves before the turn's end when it is worth a write.
  static constexpr std::size_t kWriteBytesMin = 64u << 10;

  void on_read(std::string_view bytes) override;
  void on_end(const std::string& error) override;
  void on_written(const std::string& error) override;
  bool take(std::span<const wire::LinkMessage> messages);
  std::string mistake_in(const wire::Hello& hello) const;
  void lose(const std::string& why);

  LinkEvents& events_;
  const LinkEnds ends_;
  metrics::Counter& sent_;
  metrics::Counter& received_;
  uv::PipeStream stream_;
  uv::TurnEnd turn_end_;
  wire::LinkReader reader_;
  std::vector<wire::LinkMessage> messages_;
  std::string collecting_, in_flight_;
  bool greeted_ = false;
  bool full_ = false;
  bool sendable_ = true;
  bool lost_ = false;
};

}  // namespace machida::cluster
