#include "server/cluster/link.h"

#include <utility>

namespace machida::cluster {
namespace {

std::string name_of(std::uint32_t index) {
  return index == wire::Hello::kSupervisor ? "supervisor" : std::to_string(index);
}

}  // namespace

Link::Link(uv::Loop& loop, LinkEvents& events, LinkEnds ends, uv::Descriptor fd,
           metrics::Registry& metrics)
    : events_(events),
      ends_(std::move(ends)),
      sent_(metrics.counter(kSent, {{"peer", name_of(ends_.peer)}})),
      received_(metrics.counter(kReceived, {{"peer", name_of(ends_.peer)}})),
      stream_(loop, *this, std::move(fd)),
      turn_end_(loop, [this] { flush(); }) {
  stream_.start_reading();
  send(wire::Hello{ends_.application, ends_.workers, ends_.own});
}

void Link::send(const wire::LinkMessage& message) {
  if (lost_ || !sendable_) return;
  wire::append_link_message(collecting_, message);
  if (collecting_.size() >= kWriteBytesMin) flush();
  if (full_ || queued_bytes() <= kQueueBytesMax) return;
  full_ = true;
  events_.on_full(*this);
}

std::size_t Link::queued_bytes() noexcept {
  return collecting_.size() + (stream_.writing() ? stream_.unwritten_bytes() : 0);
}

void Link::flush() {
  if (lost_ || stream_.writing() || collecting_.empty()) return;
  in_flight_.swap(collecting_);
  const std::string_view buffers[] = {in_flight_};
  stream_.write(buffers);
}

void Link::on_written(const std::string& error) {
  if (lost_) return;
  if (!error.empty()) {  // reading says so too, after what the peer had to say
    sendable_ = false;
    collecting_.clear();
    return;
  }
  sent_.add(in_flight_.size());
  in_flight_.clear();
  if (in_flight_.capacity() > 2 * kQueueBytesMax) in_flight_.shrink_to_fit();
  flush();
  if (!full_ || queued_bytes() > kQueueBytesLow) return;
  full_ = false;
  events_.on_room(*this);
}

void Link::on_read(std::string_view bytes) {
  if (lost_) return;
  received_.add(bytes.size());
  reader_.feed(bytes);
  while (true) {
    const Result<std::size_t> count = reader_.next(messages_);
    if (!count) return lose(count.error());
    if (*count == 0) break;
    try {
      if (!take(messages_)) return;
    } catch (...) {
      reader_.keep();  // the loop may run again, to drain
      throw;
    }
  }
  reader_.keep();
}

bool Link::take(std::span<const wire::LinkMessage> messages) {
  if (!greeted_) {
    const std::string mistake = mistake_in(std::get<wire::Hello>(messages.front()));
    if (!mistake.empty()) {
      lose(mistake);
      return false;
    }
    greeted_ = true;
    messages = messages.subspan(1);
  }
  if (!messages.empty()) events_.on_messages(*this, messages);
  return true;
}

std::string Link::mistake_in(const wire::Hello& hello) const {
  if (hello.application != ends_.application)
    return "the peer runs application '" + std::string(hello.application) + "', not '" +
           ends_.application + "'";
  if (hello.workers != ends_.workers)
    return "the peer counts " + std::to_string(hello.workers) + " workers, not " +
           std::to_string(ends_.workers);
  if (hello.index != ends_.peer)
    return "the peer is " + name_of(hello.index) + ", not " + name_of(ends_.peer);
  return {};
}

// Its error is no news: a peer that ends with something unread resets the connection.
void Link::on_end(const std::string&) { lose(""); }

void Link::lose(const std::string& why) {
  if (std::exchange(lost_, true)) return;
  stream_.stop_reading();
  collecting_.clear();
  events_.on_lost(*this, why);
}

}  // namespace machida::cluster
