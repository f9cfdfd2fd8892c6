#include "server/source/tcp_connection.h"

#include <chrono>

#include "server/flow/batch.h"
#include "server/source/tcp_source.h"

namespace machida::source {
namespace {

bool looks_like_http(std::string_view bytes) {
  for (const std::string_view method : {"GET ", "POST ", "HEAD ", "PUT ", "OPTIONS ", "DELETE "})
    if (bytes.substr(0, method.size()) == method) return true;
  return false;
}

}  // namespace

TcpConnection::TcpConnection(TcpSource& source, std::uint64_t id)
    : source_(source), id_(id), stream_(source.loop_, *this), reader_(source.framing_) {}

void TcpConnection::take_over(uv::OpenConnection connection) {
  stream_.take_over(std::move(connection.socket));
  peer_ = stream_.peer_text();
  reader_.feed(connection.unread);
  reader_.keep();
  has_work_ = true;  // the source looks at it soon, and then it reads on
}

uv::OpenConnection TcpConnection::release() {
  return {.socket = stream_.duplicate(), .unread = std::string(reader_.rest())};
}

void TcpConnection::follow_intake() {
  if (peer_.empty()) peer_ = stream_.peer_text();
  if (source_.draining_ || source_.intake_.paused() || has_work_ || ended_)
    stream_.stop_reading();
  else
    stream_.start_reading();
}

void TcpConnection::on_read(std::string_view bytes) {
  source_.bytes_.add(bytes.size());
  reader_.feed(bytes);
  if (!run_frames()) return;
  reader_.keep();
  follow_intake();
}

void TcpConnection::on_end(const std::string& error) {
  ended_ = true;
  end_error_ = error;
  stream_.stop_reading();
  if (!has_work_) finish();
}

void TcpConnection::work_on() {
  if (!run_frames()) return;
  reader_.keep();
  if (ended_ && !has_work_) return finish();
  follow_intake();
}

bool TcpConnection::run_frames() {
  std::vector<std::string_view>& frames = source_.frames_;
  const auto start = std::chrono::steady_clock::now();
  has_work_ = true;
  const embed::GilLock gil;
  while (!source_.intake_.paused()) {
    const Result<std::size_t> cut = reader_.next(frames, flow::kBatchRecordsMax);
    if (!cut) {
      source_.close_bad(id_, peer_ + ": " + cut.error() +
                                 (looks_like_http(reader_.rest()) ? "; this looks like HTTP" : ""));
      return false;
    }
    if (*cut == 0) {
      has_work_ = false;
      return true;
    }
    if (source_.log_ && !source_.log_->append(frames)) {
      reader_.put_back();
      return true;  // the intake was paused, and is resumed when there is room
    }
    source_.intake_.pause_if_it_throws([&] { source_.pipeline_.run_frames(gil, frames); });
    if (std::chrono::steady_clock::now() - start > kShareOfTurn) break;
  }
  source_.continue_soon();
  return true;
}

void TcpConnection::finish() {
  if (!reader_.rest().empty())
    return source_.close_bad(id_, peer_ + ": the connection ended inside a frame, " +
                                      std::to_string(reader_.rest().size()) + " bytes are dropped" +
                                      (end_error_.empty() ? "" : " (" + end_error_ + ")"));
  source_.close(id_);
}

}  // namespace machida::source
