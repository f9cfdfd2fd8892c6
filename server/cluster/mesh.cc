#include "server/cluster/mesh.h"

#include <utility>

#include "server/uv/parcels.h"

namespace machida::cluster {

Result<Mesh> Mesh::make(std::uint32_t workers) {
  Mesh mesh;
  mesh.workers_.resize(workers);
  for (Ends& ends : mesh.workers_) {
    Result<uv::SocketPair> control = uv::socket_pair();
    if (!control) return Error{control.error()};
    uv::SocketPair pair = *std::move(control);
    ends.supervisor = std::move(pair.one);
    ends.control = std::move(pair.other);
    Result<uv::SocketPair> channel = uv::parcel_pair();
    if (!channel) return Error{channel.error()};
    uv::SocketPair parcels = *std::move(channel);
    ends.supervisor_channel = std::move(parcels.one);
    ends.channel = std::move(parcels.other);
    ends.peers.resize(workers);
  }
  for (std::uint32_t i = 0; i < workers; ++i)
    for (std::uint32_t j = i + 1; j < workers; ++j) {
      Result<uv::SocketPair> link = uv::socket_pair();
      if (!link) return Error{link.error()};
      uv::SocketPair pair = *std::move(link);
      mesh.workers_[i].peers[j] = std::move(pair.one);
      mesh.workers_[j].peers[i] = std::move(pair.other);
    }
  return mesh;
}

std::vector<int> Mesh::peers_of(std::uint32_t worker) const {
  std::vector<int> numbers(workers_.size(), -1);
  int next = kChannel + 1;
  for (std::uint32_t i = 0; i < numbers.size(); ++i)
    if (i != worker) numbers[i] = next++;
  return numbers;
}

std::map<int, int> Mesh::descriptors_of(std::uint32_t worker) const {
  const Ends& ends = workers_[worker];
  std::map<int, int> out{{kControl, ends.control.get()}, {kChannel, ends.channel.get()}};
  const std::vector<int> numbers = peers_of(worker);
  for (std::uint32_t i = 0; i < numbers.size(); ++i)
    if (i != worker) out[numbers[i]] = ends.peers[i].get();
  return out;
}

uv::Descriptor Mesh::take_control(std::uint32_t worker) {
  return std::move(workers_[worker].supervisor);
}

uv::Descriptor Mesh::take_peer(std::uint32_t worker, std::uint32_t other) {
  return std::move(workers_[worker].peers[other]);
}

uv::Descriptor Mesh::take_channel(std::uint32_t worker) {
  return std::move(workers_[worker].supervisor_channel);
}

}  // namespace machida::cluster
