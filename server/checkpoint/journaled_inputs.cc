#include "server/checkpoint/journaled_inputs.h"

#include <utility>

#include "server/base/log.h"

namespace machida::checkpoint {

class JournaledInputs::Log final : public flow::InputLog {
 public:
  Log(JournaledInputs& inputs, std::size_t source) : inputs_(inputs), source_(source) {}
  bool append(std::span<const std::string_view> frames) override {
    return inputs_.append(source_, frames);
  }

 private:
  JournaledInputs& inputs_;
  std::size_t source_;
};

JournaledInputs::JournaledInputs(store::InputJournal& journal, flow::Intake& intake,
                                 std::function<void()> on_full)
    : journal_(journal), intake_(intake), hold_(intake), on_full_(std::move(on_full)) {}

JournaledInputs::~JournaledInputs() = default;

flow::InputLog& JournaledInputs::log_of(std::size_t source) {
  logs_.push_back(std::make_unique<Log>(*this, source));
  return *logs_.back();
}

bool JournaledInputs::append(std::size_t source, std::span<const std::string_view> frames) {
  const auto number = static_cast<std::uint32_t>(source);
  bool is_written = journal_.append(number, frames);
  if (!is_written) {
    journal_.trim(passed_);
    is_written = journal_.append(number, frames);
  }
  if (is_written) {
    if (std::exchange(said_full_, false)) log::info("the journal has room again");
    return true;
  }
  if (!std::exchange(said_full_, true))
    log::warn("the journal has no room: the sources wait until an epoch is closed");
  hold_.pause();
  on_full_();
  return false;
}

std::int64_t JournaledInputs::position_in(const std::vector<Position>& positions) {
  for (const Position& position : positions)
    if (position.source == kSource) return position.value;
  return 0;
}

void JournaledInputs::positions(std::vector<Position>& out) const {
  const std::int64_t position = journal_.position() - static_cast<std::int64_t>(replay_.size());
  if (position > 0) out.push_back({kSource, "", position});
}

void JournaledInputs::begin_replay(const std::vector<Position>& restored) {
  passed_ = position_in(restored);
  journal_.replay(passed_, [this](std::uint32_t source, const auto& frames) {
    replay_.push_back({source, {frames.begin(), frames.end()}});
  });
}

bool JournaledInputs::replay_some(const Feed& feed, const std::function<bool()>& has_time) {
  std::vector<std::string_view> frames;
  while (!replay_.empty() && !intake_.paused() && has_time()) {
    const Record record = std::move(replay_.front());
    replay_.pop_front();
    frames.assign(record.frames.begin(), record.frames.end());
    feed(record.source, frames);
  }
  return !replay_.empty();
}

void JournaledInputs::try_again() { hold_.resume(); }

void JournaledInputs::passed(const std::vector<Position>& positions) {
  journal_.trim(std::exchange(passed_, position_in(positions)));
  try_again();
}

}  // namespace machida::checkpoint
