// Version 1, all numbers as in varint.h:
//   byte version, byte kind (0 sliding or tumbling, 1 session)
//   signed watermark, signed system time it was seen
//   sessions: signed newest item, unsigned next id
//   unsigned number of open windows; if there are any:
//     sliding: unsigned length, unsigned offset, signed align_to; signed first index, and for each
//              other unsigned how many were left out before it
//     session: per session unsigned id, signed start minus the one before's last item (0 before the
//              first), unsigned last item minus start
#include "server/window/windower_state.h"

#include "server/window/varint.h"

namespace machida::window {
namespace {

constexpr char kVersion = 1;
constexpr char kSliding = 0, kSessions = 1;

// Takes numbers and remembers whether one was missing.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::int64_t take_signed() { return note(window::take_signed(bytes_)); }
  std::int64_t take_count() {  // an unsigned one that fits
    const std::optional<std::uint64_t> value = window::take_unsigned(bytes_);
    if (!value || *value > static_cast<std::uint64_t>(kNever)) return note(std::nullopt);
    return static_cast<std::int64_t>(*value);
  }
  bool good() const noexcept { return good_; }
  std::size_t left() const noexcept { return bytes_.size(); }

 private:
  std::int64_t note(std::optional<std::int64_t> value) {
    if (!value) good_ = false;
    return value.value_or(0);
  }

  std::string_view bytes_;
  bool good_ = true;
};

void put_count(std::string& out, std::int64_t value) {
  put_unsigned(out, static_cast<std::uint64_t>(value));
}

void put_sliding(std::string& out, const std::vector<OpenWindow>& open,
                 const SlidingWindows& windows) {
  put_count(out, windows.length_us());
  put_count(out, windows.offset_us());
  put_signed(out, windows.align_us());
  auto expected = static_cast<std::int64_t>(open.front().id);
  put_signed(out, expected);
  for (const OpenWindow& window : open) {
    const auto index = static_cast<std::int64_t>(window.id);
    if (&window != &open.front()) put_count(out, index - expected);
    expected = index + 1;
  }
}

void put_sessions(std::string& out, const std::vector<OpenWindow>& open) {
  Micros before_us = 0;
  for (const OpenWindow& session : open) {
    put_count(out, static_cast<std::int64_t>(session.id));
    put_signed(out, session.first_us - before_us);
    put_count(out, session.last_us - session.first_us);
    before_us = session.last_us;
  }
}

// What is wrong, if anything.
std::string take_sliding(Reader& reader, std::int64_t count, const SlidingWindows& windows,
                         std::vector<OpenWindow>& open) {
  const Micros length_us = reader.take_count(), offset_us = reader.take_count(),
               align_us = reader.take_signed();
  if (!reader.good()) return "is cut off";
  if (length_us != windows.length_us() || offset_us != windows.offset_us() ||
      align_us != windows.align_us())
    return "has open windows of length " + std::to_string(length_us) + " us, offset " +
           std::to_string(offset_us) + " us, aligned to " + std::to_string(align_us) +
           " us, which is not what the step has now";
  std::int64_t index = reader.take_signed();
  for (std::int64_t i = 0; i < count; ++i) {
    if (i > 0 && __builtin_add_overflow(index + 1, reader.take_count(), &index))
      return "has a window out of range";
    if (!reader.good()) return "is cut off";
    if (!windows.has(index)) return "has a window out of range";
    open.push_back(windows.window(index));
  }
  return {};
}

std::string take_sessions(Reader& reader, std::int64_t count, std::int64_t next_id,
                          std::vector<OpenWindow>& open) {
  Micros before_us = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    OpenWindow session;
    session.id = WindowId{reader.take_count()};
    const Micros apart_us = reader.take_signed();
    const Micros lasted_us = reader.take_count();
    if (!reader.good()) return "is cut off";
    if (session.id >= WindowId{next_id}) return "has a session out of range";
    if (i > 0 && apart_us <= 0) return "has sessions out of order";
    session.first_us = plus(before_us, apart_us);
    session.last_us = plus(session.first_us, lasted_us);
    if (!in_range(session.first_us) || !in_range(session.last_us))
      return "has a session out of range";
    before_us = session.last_us;
    open.push_back(session);
  }
  return {};
}

}  // namespace

std::string to_bytes(const WindowerState& state, const Windows& windows) {
  const auto* sliding = std::get_if<SlidingWindows>(&windows);
  std::string out{kVersion, sliding ? kSliding : kSessions};
  put_signed(out, state.watermark.value_us);
  put_signed(out, state.watermark.seen_us);
  if (!sliding) {
    put_signed(out, state.newest_us);
    put_count(out, state.next_id);
  }
  put_count(out, static_cast<std::int64_t>(state.open.size()));
  if (state.open.empty()) return out;
  if (sliding)
    put_sliding(out, state.open, *sliding);
  else
    put_sessions(out, state.open);
  return out;
}

Result<WindowerState> from_bytes(std::string_view bytes, const Windows& windows) {
  const std::string what = "the saved state of a window step ";
  if (bytes.size() < 2) return Error{what + "is cut off"};
  if (bytes[0] != kVersion)
    return Error{what + "has version " + std::to_string(static_cast<unsigned char>(bytes[0])) +
                 ", this server reads version " + std::to_string(int{kVersion})};
  const auto* sliding = std::get_if<SlidingWindows>(&windows);
  if (bytes[1] != (sliding ? kSliding : kSessions)) return Error{what + "has other windows"};

  Reader reader(bytes.substr(2));
  WindowerState state;
  state.watermark.value_us = reader.take_signed();
  state.watermark.seen_us = reader.take_signed();
  if (!sliding) {
    state.newest_us = reader.take_signed();
    state.next_id = reader.take_count();
  }
  const std::int64_t count = reader.take_count();
  if (!reader.good()) return Error{what + "is cut off"};
  if (static_cast<std::uint64_t>(count) > reader.left())  // each takes a byte or more
    return Error{what + "is cut off"};
  if (!in_range(state.watermark.seen_us) || state.next_id > kFarthest)
    return Error{what + "has a time out of range"};
  if (count > 0) {
    state.open.reserve(static_cast<std::size_t>(count));
    const std::string wrong = sliding ? take_sliding(reader, count, *sliding, state.open)
                                      : take_sessions(reader, count, state.next_id, state.open);
    if (!wrong.empty()) return Error{what + wrong};
  }
  if (reader.left() != 0) return Error{what + "goes on after its end"};
  return state;
}

}  // namespace machida::window
