// The TCP clients of a simulation: those that send frames, each over a connection that ends with
// the worker it is with, and the one that reads outputs. Outlive the workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace machida::sim {

class Clients {
 public:
  explicit Clients(std::vector<std::vector<std::string>> bodies) : senders_(bodies.size()) {
    for (std::size_t i = 0; i < bodies.size(); ++i) senders_[i].bodies = std::move(bodies[i]);
  }

  std::size_t size() const noexcept { return senders_.size(); }
  // All connect again: streams of their own, since order is kept on a connection only.
  void connect() { ++connections_; }
  // The frames that a client can send at once, at most `frames_max`.
  std::vector<std::string> frames(std::size_t client, std::size_t frames_max) const;
  // The first `frames` of them were written into a worker's journal, as one record.
  void accepted(std::size_t client, std::size_t frames, std::uint32_t worker, std::int64_t record);
  bool all_sent() const;

  // A journal ends before this record: what was in it is lost.
  void lost_from(std::uint32_t worker, std::int64_t record);
  // The journals have been processed and are begun anew.
  void settled();

  // What a one-worker run is given: in order within each stream.
  std::vector<std::string> all_accepted() const;
  // Streams of which something was lost.
  const std::set<std::string>& lost() const noexcept { return lost_; }

  std::vector<std::string> outputs;  // in the order of their arrival

 private:
  struct Sender {
    std::vector<std::string> bodies;
    std::size_t next = 0;
  };
  struct Frame {
    std::string text;
    std::uint32_t worker;
    std::int64_t record;
    bool settled = false;
  };
  std::string text_of(std::size_t client, std::size_t number) const;

  std::vector<Sender> senders_;
  std::vector<Frame> frames_;
  std::set<std::string> lost_;
  std::uint64_t connections_ = 0;
};

}  // namespace machida::sim
