#include "server/seat_text.h"

#include <sstream>
#include <stdexcept>

namespace machida {

std::string SeatText::text() const {
  std::ostringstream out;
  out << static_cast<int>(task) << ' ' << supervisor << ' ' << seat.index << ' ' << seat.workers
      << ' ' << seat.control << ' ' << seat.channel << ' ' << seat.kept.list << ' '
      << seat.kept.first << ' ' << seat.kept.count << ' ' << output << ' ' << old_workers << ' '
      << resume_epoch.value_or(-1) << ' ' << seat.peers.size();
  for (const int peer : seat.peers) out << ' ' << peer;
  return out.str();
}

SeatText SeatText::parse(const std::string& text) {
  std::istringstream in(text);
  SeatText made;
  int task = 0;
  std::int64_t epoch = -1;
  std::size_t peers = 0;
  in >> task >> made.supervisor >> made.seat.index >> made.seat.workers >> made.seat.control >>
      made.seat.channel >> made.seat.kept.list >> made.seat.kept.first >> made.seat.kept.count >>
      made.output >> made.old_workers >> epoch >> peers;
  for (int peer = 0; peers > 0 && in >> peer; --peers) made.seat.peers.push_back(peer);
  if (!in || task < 0 || task > static_cast<int>(Task::kReshard) || made.seat.workers == 0)
    throw std::invalid_argument("'" + text + "' is no seat of a worker");
  made.task = static_cast<Task>(task);
  if (epoch >= 0) made.resume_epoch = epoch;
  return made;
}

}  // namespace machida
