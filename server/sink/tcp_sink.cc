#include "server/sink/tcp_sink.h"

#include <algorithm>

#include "server/base/log.h"

namespace machida::sink {
namespace {

constexpr std::uint64_t kBackoffFirstMs = 50;
constexpr std::uint64_t kBackoffMaxMs = 5000;
constexpr std::size_t kWriteBytesMax = 1u << 20;   // handed to the system at once
constexpr std::size_t kWriteBytesMin = 64u << 10;  // worth a write in the middle of a turn

}  // namespace

TcpSink::TcpSink(uv::Loop& loop, flow::Intake& intake, HostPort where, metrics::Registry& metrics,
                 std::function<void()> on_connected)
    : loop_(loop),
      intake_(intake),
      where_(std::move(where)),
      bytes_(metrics.counter(kBytes, {{"sink", where_.text()}})),
      reconnects_(metrics.counter(kReconnects, {{"sink", where_.text()}})),
      on_connected_(std::move(on_connected)),
      resolver_(loop),
      retry_(loop, [this] { open(); }),
      turn_end_(loop, [this] { flush(); }),
      backoff_ms_(kBackoffFirstMs) {}

void TcpSink::open() {
  if (taken_over_.get() >= 0) {
    stream_ = std::make_unique<uv::TcpStream>(loop_, *this);
    stream_->take_over(std::move(taken_over_));
    was_connected_ = true;
    return begin();
  }
  phase_ = Phase::kResolving;
  resolver_.resolve(where_, [this](Result<std::vector<uv::Address>> found) {
    if (!found) return failed(found.error());
    addresses_ = *std::move(found);
    std::reverse(addresses_.begin(), addresses_.end());
    try_next_address();
  });
}

void TcpSink::try_next_address() {
  phase_ = Phase::kConnecting;
  const uv::Address next = addresses_.back();
  addresses_.pop_back();
  stream_ = std::make_unique<uv::TcpStream>(loop_, *this);
  stream_->connect(next);
}

void TcpSink::on_connected(const std::string& error) {
  if (!error.empty()) {
    if (addresses_.empty()) return failed(error);
    return try_next_address();
  }
  backoff_ms_ = kBackoffFirstMs;
  if (was_connected_) reconnects_.add();
  if (said_so_ || !was_connected_) log::info("sink {}: connected", where_.text());
  said_so_ = false;
  was_connected_ = true;
  begin();
}

void TcpSink::begin() {
  phase_ = Phase::kConnected;
  queue_.rewind();
  stream_->start_reading();
  on_connected_();
  flush();
}

void TcpSink::failed(const std::string& why) {
  stream_.reset();
  phase_ = Phase::kWaiting;
  if (!said_so_)
    log::warn("sink {}: {}; trying again until it answers{}", where_.text(), why,
              was_connected_ ? "" : ", the sources open then");
  said_so_ = true;
  retry_.start(backoff_ms_);
  backoff_ms_ = std::min(backoff_ms_ * 2, kBackoffMaxMs);
}

void TcpSink::lost(const std::string& why) {
  if (phase_ != Phase::kConnected) return;
  if (stream_->writing()) queue_.sent(in_flight_bytes_ - stream_->unwritten_bytes());
  queue_.acknowledged_except(stream_->unacknowledged_bytes());
  in_flight_bytes_ = 0;
  said_so_ = false;
  failed("connection lost (" + why + ")");
}

void TcpSink::on_end(const std::string& error) {
  lost(error.empty() ? "closed by the peer" : error);
}

void TcpSink::write(std::string_view bytes) {
  queue_.accept(bytes);
  if (queue_.unsent_bytes() - in_flight_bytes_ >= kWriteBytesMin) flush();
  follow_queue();
}

void TcpSink::flush() {
  if (phase_ != Phase::kConnected || stream_->writing()) return;
  in_flight_bytes_ = queue_.unsent(in_flight_, kWriteBytesMax);
  if (in_flight_bytes_ > 0) stream_->write(in_flight_);
}

void TcpSink::on_written(const std::string& error) {
  if (!error.empty()) return lost(error);
  bytes_.add(in_flight_bytes_);
  queue_.sent(std::exchange(in_flight_bytes_, 0));
  queue_.acknowledged_except(stream_->unacknowledged_bytes());
  follow_queue();
  flush();
}

void TcpSink::follow_queue() {
  const std::size_t waiting = queue_.unsent_bytes();
  intake_.follow(waiting > kQueueBytesMax, waiting < kQueueBytesLow);
}

void TcpSink::look_at_acknowledged() {
  if (phase_ == Phase::kConnected && !stream_->writing())
    queue_.acknowledged_except(stream_->unacknowledged_bytes());
}

bool TcpSink::delivered(std::uint64_t mark) {
  look_at_acknowledged();
  return queue_.acknowledged() >= mark;
}

bool TcpSink::drained() { return delivered(mark()); }

uv::Descriptor TcpSink::release() {
  if (taken_over_.get() >= 0) return std::move(taken_over_);
  return phase_ == Phase::kConnected ? stream_->duplicate() : uv::Descriptor();
}

std::string TcpSink::undelivered() const {
  return fmt::format("{} bytes for {}", queue_.unacknowledged_bytes(), where_.text());
}

}  // namespace machida::sink
