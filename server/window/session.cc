#include "server/window/session.h"

#include <algorithm>

namespace machida::window {

Result<SessionWindows> SessionWindows::make(Micros gap_us) {
  if (gap_us < 0) return Error{"the gap of a session cannot be negative"};
  if (gap_us == 0) return Error{"the gap of a session must be longer than zero"};
  return SessionWindows(clamped(gap_us));
}

void SessionWindows::place(std::vector<OpenWindow>& open, Micros item_us, std::int64_t& next_id,
                           Outcome& out) const {
  // [begin, end): the sessions less than a gap away. At most two, but three or more after a restart
  // with a longer gap.
  const auto end = std::partition_point(open.begin(), open.end(), [&](const OpenWindow& session) {
    return session.first_us < item_us + gap_us_;
  });
  auto begin = end;
  while (begin != open.begin() && settles_us(*(begin - 1)) > item_us) --begin;

  if (begin == end) {
    const WindowId id{next_id++};
    open.insert(end, {id, item_us, item_us});
    out.windows.push_back(id);
    return;
  }
  for (auto other = begin + 1; other != end; ++other) {
    out.merges.push_back({other->id, begin->id});
    begin->last_us = std::max(begin->last_us, other->last_us);
  }
  begin->first_us = std::min(begin->first_us, item_us);
  begin->last_us = std::max(begin->last_us, item_us);
  out.windows.push_back(begin->id);
  open.erase(begin + 1, end);
}

}  // namespace machida::window
