#include "tests/sim/clients.h"

#include <fmt/core.h>

#include <algorithm>

namespace machida::sim {

std::string Clients::text_of(std::size_t client, std::size_t number) const {
  return fmt::format("c{}.{} {} {}", client, connections_, number, senders_[client].bodies[number]);
}

std::vector<std::string> Clients::frames(std::size_t client, std::size_t frames_max) const {
  const Sender& sender = senders_[client];
  std::vector<std::string> frames;
  const std::size_t end = std::min(sender.next + frames_max, sender.bodies.size());
  for (std::size_t i = sender.next; i < end; ++i) frames.push_back(text_of(client, i));
  return frames;
}

void Clients::accepted(std::size_t client, std::size_t frames, std::uint32_t worker,
                       std::int64_t record) {
  Sender& sender = senders_[client];
  for (std::size_t i = 0; i < frames; ++i)
    frames_.push_back({text_of(client, sender.next++), worker, record});
}

bool Clients::all_sent() const {
  return std::all_of(senders_.begin(), senders_.end(),
                     [](const Sender& sender) { return sender.next == sender.bodies.size(); });
}

void Clients::lost_from(std::uint32_t worker, std::int64_t record) {
  std::erase_if(frames_, [&](const Frame& frame) {
    const bool is_lost = !frame.settled && frame.worker == worker && frame.record >= record;
    if (is_lost) lost_.insert(frame.text.substr(0, frame.text.find(' ')));
    return is_lost;
  });
}

void Clients::settled() {
  for (Frame& frame : frames_) frame.settled = true;
}

std::vector<std::string> Clients::all_accepted() const {
  std::vector<std::string> texts;
  for (const Frame& frame : frames_) texts.push_back(frame.text);
  return texts;
}

}  // namespace machida::sim
