#include "server/cluster/reception.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "server/base/log.h"
#include "server/uv/bound_socket.h"

namespace machida::cluster {
namespace {

constexpr std::uint64_t kTryAgainMs = 20;

}  // namespace

Reception::Reception(uv::Loop& loop, std::vector<Door> doors, Turns turns, Give give)
    : loop_(loop),
      doors_(std::move(doors)),
      turns_(std::move(turns)),
      give_(std::move(give)),
      later_(loop, [this] { try_again(); }) {}

void Reception::open() {
  if (!watches_.empty()) return;
  for (const Door& door : doors_) {
    const std::string wrong = uv::start_listening(door.socket);
    if (!wrong.empty()) throw std::runtime_error(door.address + " can't be listened on: " + wrong);
    watches_.push_back(std::make_unique<uv::AcceptWatch>(
        loop_, door.socket, [this, pipeline = door.pipeline](uv::Descriptor client) {
          on_client(pipeline, std::move(client));
        }));
  }
  try_again();
}

void Reception::close() {
  watches_.clear();
  later_.stop();
}

KeptConnections Reception::release() { return std::exchange(untaken_, {}); }

void Reception::on_client(std::uint32_t pipeline, uv::Descriptor client) {
  untaken_.push_back({KeptConnection::End::kClient, pipeline, 0, {std::move(client), ""}});
  try_again();
}

bool Reception::deal_out(const KeptConnection& client) {
  for (std::uint32_t tried = 0; tried < turns_.workers(); ++tried)
    if (give_(turns_.next(client.pipeline), client.pipeline, client.open.socket.get())) return true;
  return false;
}

void Reception::try_again() {
  std::erase_if(untaken_, [this](const KeptConnection& client) { return deal_out(client); });
  for (const auto& watch : watches_) {
    if (untaken_.empty())
      watch->resume();
    else
      watch->pause();
  }
  if (!untaken_.empty()) later_.start(kTryAgainMs);
}

}  // namespace machida::cluster
