#include "server/checkpoint/journaled_inputs.h"

#include <doctest/doctest.h>

#include "server/store/journal.h"
#include "tests/unit/store/support.h"

using namespace machida;

namespace {

// Inputs of a journal that lies in a directory, as a server has them from start to end.
struct Life {
  explicit Life(const store::Directory& directory, std::uint64_t bytes_max = 1 << 20)
      : journal(directory, 0, bytes_max), inputs(journal, intake, [this] { ++full; }) {
    log = &inputs.log_of(0);
  }

  bool append(std::string_view frame) { return log->append({&frame, 1}); }

  // What an epoch that ends now says of the journal.
  std::vector<Position> end_epoch() {
    std::vector<Position> positions;
    inputs.positions(positions);
    journal.begin_segment();
    return positions;
  }

  std::vector<std::string> replayed(const std::vector<Position>& from) {
    std::vector<std::string> frames;
    inputs.begin_replay(from);
    const auto feed = [&](std::size_t, std::span<const std::string_view> some) {
      frames.insert(frames.end(), some.begin(), some.end());
    };
    while (inputs.replay_some(feed, [] { return true; })) continue;
    return frames;
  }

  flow::Intake intake;
  store::Journal journal;
  checkpoint::JournaledInputs inputs;
  flow::InputLog* log = nullptr;
  int full = 0;
};

using Frames = std::vector<std::string>;

}  // namespace

TEST_CASE("the frames of the newest closed epoch stay, for a start that takes the one before") {
  const testing::TempDirectory temp;
  const store::Directory directory(temp.path(), store::Directory::Access::kServe);
  std::vector<Position> first, second;
  {
    Life life(directory);
    life.append("a");
    first = life.end_epoch();
    life.append("b");
    life.inputs.passed(first);
    second = life.end_epoch();
    life.append("c");
    life.inputs.passed(second);
  }
  CHECK(Life(directory).replayed(second) == Frames{"c"});
  CHECK(Life(directory).replayed(first) == Frames{"b", "c"});
  CHECK(testing::refusal([&] { Life(directory).replayed({}); }).find("are needed") !=
        std::string::npos);
}

TEST_CASE("a full journal gives up what only the epoch before the newest closed one needs") {
  const testing::TempDirectory temp;
  const store::Directory directory(temp.path(), store::Directory::Access::kServe);
  Life life(directory, 2000);
  const std::string large(1500, 'x');
  CHECK(life.append(large));
  const std::vector<Position> first = life.end_epoch();
  life.inputs.passed(first);
  CHECK(life.append(large));
  CHECK(life.full == 0);
  CHECK_FALSE(life.append(large));
  CHECK(life.full == 1);
  CHECK(life.intake.paused());
  life.inputs.passed(life.end_epoch());
  CHECK_FALSE(life.intake.paused());
  CHECK(life.append("last"));
}
