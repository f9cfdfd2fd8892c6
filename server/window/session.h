// Windows that last as long as items come less than a gap apart (SessionWindow in the specification
// of bytewax.window: "added to the latest window if the time since the latest event is < gap").
//
// Items need not come in order: a session also takes an item that lies less than a gap before it,
// and an item that lies less than a gap from two sessions makes them one. The original lost items
// then.
#pragma once

#include <cstdint>
#include <vector>

#include "server/base/result.h"
#include "server/window/instant.h"
#include "server/window/outcome.h"

namespace machida::window {

class SessionWindows {
 public:
  // Error: a gap that is not positive.
  static Result<SessionWindows> make(Micros gap_us);

  // Puts an item that is not late into its session in `open`: sorted, and a gap or more apart. A
  // new session's id is `next_id`, which then counts on. Sessions that become one merge into the
  // earliest. Appends to out.merges and out.windows.
  void place(std::vector<OpenWindow>& open, Micros item_us, std::int64_t& next_id,
             Outcome& out) const;

  // The watermark that closes the session: from then on an item that would join it is late.
  Micros settles_us(const OpenWindow& session) const { return session.last_us + gap_us_; }

 private:
  explicit SessionWindows(Micros gap_us) : gap_us_(gap_us) {}

  Micros gap_us_;
};

}  // namespace machida::window
