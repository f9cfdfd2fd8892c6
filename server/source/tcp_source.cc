#include "server/source/tcp_source.h"

#include "server/base/log.h"
#include "server/source/tcp_connection.h"

namespace machida::source {

TcpSource::TcpSource(uv::Loop& loop, flow::Pipeline& pipeline, flow::Intake& intake,
                     wire::Framing framing, metrics::Registry& metrics)
    : loop_(loop),
      pipeline_(pipeline),
      intake_(intake),
      framing_(std::move(framing)),
      bad_connections_(metrics.counter(kBadConnections, {{"pipeline", pipeline.name()}})),
      bytes_(metrics.counter(kBytes, {{"pipeline", pipeline.name()}})),
      soon_(loop, [this] { work_on(); }) {
  intake_.watch([this] { on_intake(); });
}

TcpSource::~TcpSource() = default;

Result<std::vector<uv::Address>> TcpSource::open(const HostPort& where) {
  Result<std::vector<uv::Address>> found = uv::resolve_now(where);
  if (!found) return found;
  std::vector<uv::Address> opened;
  for (uv::Address address : *found) {
    // A name with several addresses and port 0: all on the port that the first one got.
    if (where.port == 0 && !opened.empty()) address.set_port(opened.front().port());
    auto listener = std::make_unique<uv::TcpListener>(
        loop_, [this](uv::TcpListener& waiting) { on_connection(waiting); });
    const Result<std::optional<uv::Address>> at = listener->listen(address);
    if (!at) return Error{where.text() + " can't be listened on: " + at.error()};
    if (!*at) continue;
    listeners_.push_back(std::move(listener));
    opened.push_back(**at);
  }
  if (opened.empty())
    return Error{where.text() + " can't be listened on: it is no address of this machine"};
  return opened;
}

void TcpSource::on_connection(uv::TcpListener& listener) {
  const std::uint64_t id = next_id_++;
  auto connection = std::make_unique<TcpConnection>(*this, id);
  if (!listener.accept(connection->stream())) return;
  TcpConnection& added = *connection;
  connections_.emplace(id, std::move(connection));
  added.follow_intake();
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
  listeners_.clear();
  for (const auto& [id, connection] : connections_) connection->follow_intake();
}

bool TcpSource::drained() const noexcept {
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
