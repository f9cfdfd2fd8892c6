// The links of one start: a connection between every two workers, and one between each of them and
// the supervisor, beside which there is a channel for descriptors.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "server/base/result.h"
#include "server/uv/socket_pair.h"

namespace machida::cluster {

class Mesh {
 public:
  static constexpr int kControl = 3;  // the first number after standard error
  static constexpr int kChannel = 4;

  static Result<Mesh> make(std::uint32_t workers);

  // The numbers that a worker finds its ends under: the supervisor's are kControl and kChannel.
  std::vector<int> peers_of(std::uint32_t worker) const;  // by index; -1 at its own place
  // Number in the worker -> number here.
  std::map<int, int> descriptors_of(std::uint32_t worker) const;
  // The supervisor's end of the link to a worker; once.
  uv::Descriptor take_control(std::uint32_t worker);
  // The end that a worker has of its link to another; once.
  uv::Descriptor take_peer(std::uint32_t worker, std::uint32_t other);
  // The supervisor's end of the channel; once.
  uv::Descriptor take_channel(std::uint32_t worker);

 private:
  struct Ends {
    uv::Descriptor supervisor, control;          // theirs and the worker's
    uv::Descriptor supervisor_channel, channel;  // the same
    std::vector<uv::Descriptor> peers;           // by index; none at its own place
  };
  std::vector<Ends> workers_;
};

}  // namespace machida::cluster
