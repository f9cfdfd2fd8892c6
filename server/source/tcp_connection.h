// One client of a TCP source: its stream and the bytes read that are no frame yet. Owned by its
// source, which it asks to close it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/uv/open_connection.h"
#include "server/uv/tcp_stream.h"
#include "server/wire/frame_reader.h"

namespace machida::source {

class TcpSource;

class TcpConnection final : public uv::StreamEvents {
 public:
  TcpConnection(TcpSource& source, std::uint64_t id);

  // Once: a fresh connection, or another owner's at the place where it was given up.
  void take_over(uv::OpenConnection connection);
  uv::OpenConnection release();

  // Reads if the source may; otherwise stops. Call when the source's mind changed.
  void follow_intake();

  // Goes on with what was read and kept. The connection may be gone afterwards.
  void work_on();

  // Whole frames may be waiting in what was read.
  bool has_work() const noexcept { return has_work_; }

  void on_read(std::string_view bytes) override;
  void on_end(const std::string& error) override;

 private:
  // Runs the pipeline on the frames at hand; false when the connection is gone.
  bool run_frames();
  void finish();

  TcpSource& source_;
  std::uint64_t id_;
  uv::TcpStream stream_;
  wire::FrameReader reader_;
  std::string peer_;
  bool has_work_ = false;  // stopped in the middle: paused, or its share of the turn was used up
  bool ended_ = false;     // the peer has closed
  std::string end_error_;
};

}  // namespace machida::source
