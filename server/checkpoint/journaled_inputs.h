// The inputs of sources that can't go back: written to the journal before they are processed, and
// fed again after a crash from where the newest epoch ended. When the journal is full the intake is
// paused until an epoch has closed. Worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/flow/epoch.h"
#include "server/flow/input_log.h"
#include "server/flow/intake_hold.h"
#include "server/store/input_journal.h"

namespace machida::checkpoint {

class JournaledInputs final : public flow::EpochSource {
 public:
  static constexpr const char* kSource = "journal";

  // `on_full` is asked for an early end of the epoch.
  JournaledInputs(store::InputJournal& journal, flow::Intake& intake,
                  std::function<void()> on_full);
  ~JournaledInputs() override;

  // The log of the source with this number, which is the same after a restart.
  flow::InputLog& log_of(std::size_t source);
  store::InputJournal& journal() noexcept { return journal_; }

  // Feeds what was journaled after the epoch with these positions, as long as `has_time` says so,
  // which is asked before each record. Whether more is left. Before the sources open.
  using Feed = std::function<void(std::size_t source, std::span<const std::string_view> frames)>;
  void begin_replay(const std::vector<Position>& restored);
  bool replay_some(const Feed& feed, const std::function<bool()>& has_time);
  std::size_t replay_left() const noexcept { return replay_.size(); }

  // The device may have room again: the sources may try.
  void try_again();

  // Records from there on were not part of the epoch with these positions.
  static std::int64_t position_in(const std::vector<Position>& positions);

  void positions(std::vector<Position>& out) const override;
  void passed(const std::vector<Position>& positions) override;

 private:
  class Log;
  bool append(std::size_t source, std::span<const std::string_view> frames);

  store::InputJournal& journal_;
  flow::Intake& intake_;
  flow::IntakeHold hold_;
  std::function<void()> on_full_;
  std::vector<std::unique_ptr<Log>> logs_;
  // Of the newest epoch. What is before it is kept for one epoch more while there is room, so that
  // a start that takes the epoch before a damaged one has its frames.
  std::int64_t passed_ = 0;
  bool said_full_ = false;

  struct Record {
    std::size_t source;
    std::vector<std::string> frames;
  };
  std::deque<Record> replay_;
};

}  // namespace machida::checkpoint
