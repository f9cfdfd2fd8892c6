#include "server/source/tcp_source.h"

#include <utility>

#include "server/base/log.h"
#include "server/source/tcp_connection.h"

namespace machida::source {

TcpSource::TcpSource(uv::Loop& loop, flow::Pipeline& pipeline, flow::Intake& intake, HostPort where,
                     wire::Framing framing, flow::InputLog* log, metrics::Registry& metrics)
    : loop_(loop),
      pipeline_(pipeline),
      intake_(intake),
      where_(std::move(where)),
      framing_(std::move(framing)),
      log_(log),
      bad_connections_(metrics.counter(kBadConnections, {{"pipeline", pipeline.name()}})),
      bytes_(metrics.counter(kBytes, {{"pipeline", pipeline.name()}})),
      soon_(loop, [this] { work_on(); }) {
  intake_.watch([this] { on_intake(); });
}

TcpSource::~TcpSource() = default;

void TcpSource::take_over(std::vector<uv::OpenConnection> connections) {
  for (uv::OpenConnection& open : connections) taken_over_.push_back(std::move(open));
  if (open_ && !draining_) open_taken_over();
}

void TcpSource::open(OnOpen on_open) {
  open_ = true;
  open_taken_over();
  on_open(listens_ ? listen() : std::vector<std::string>());
}

void TcpSource::open_taken_over() {
  for (uv::OpenConnection& open : std::exchange(taken_over_, {})) add(std::move(open));
}

void TcpSource::add(uv::OpenConnection open) {
  const std::uint64_t id = next_id_++;
  auto connection = std::make_unique<TcpConnection>(*this, id);
  connection->take_over(std::move(open));
  connections_.emplace(id, std::move(connection));
  continue_soon();
}

std::vector<uv::OpenConnection> TcpSource::release() {
  std::vector<uv::OpenConnection> released = std::exchange(taken_over_, {});
  for (const auto& [id, connection] : connections_) released.push_back(connection->release());
  connections_.clear();
  return released;
}

std::string TcpSource::reserve() {
  if (!listens_) return {};
  Result<std::vector<uv::BoundSocket>> bound = uv::bind_all(where_);
  if (!bound) return where_.text() + " can't be listened on: " + bound.error();
  sockets_ = *std::move(bound);
  return {};
}

Result<std::vector<std::string>> TcpSource::listen() {
  std::vector<std::string> lines;
  for (const uv::BoundSocket& bound : sockets_) {
    const std::string address = bound.address.text();
    const std::string wrong = uv::start_listening(bound.socket.get());
    if (!wrong.empty()) return Error{address + " can't be listened on: " + wrong};
    watches_.push_back(std::make_unique<uv::AcceptWatch>(
        loop_, bound.socket.get(),
        [this](uv::Descriptor client) { add({.socket = std::move(client), .unread = {}}); }));
    lines.push_back(fmt::format("listening on {} (pipeline \"{}\")", address, pipeline_.name()));
  }
  return lines;
}

void TcpSource::on_intake() {
  if (intake_.paused()) {
    for (const auto& [id, connection] : connections_) connection->follow_intake();
  } else {
    continue_soon();
  }
}

void TcpSource::work_on() {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, connection] : connections_) ids.push_back(id);
  for (const std::uint64_t id : ids) {
    const auto found = connections_.find(id);
    if (found == connections_.end() || intake_.paused()) continue;
    if (found->second->has_work())
      found->second->work_on();
    else
      found->second->follow_intake();
  }
}

void TcpSource::drain() {
  if (draining_) return;
  draining_ = true;
  watches_.clear();
  sockets_.clear();
  for (const auto& [id, connection] : connections_) connection->follow_intake();
}

bool TcpSource::drained() const {
  for (const auto& [id, connection] : connections_)
    if (connection->has_work()) return false;
  return draining_;
}

void TcpSource::close(std::uint64_t id) { connections_.erase(id); }

void TcpSource::close_bad(std::uint64_t id, const std::string& why) {
  bad_connections_.add();
  if (log::worth_a_line(bad_connections_.value()))
    log::warn("pipeline '{}': connection {} closed, {}", pipeline_.name(), bad_connections_.value(),
              why);
  close(id);
}

}  // namespace machida::source
