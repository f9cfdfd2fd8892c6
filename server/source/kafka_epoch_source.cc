#include "server/source/kafka_epoch_source.h"

#include <charconv>
#include <cstdlib>

#include "server/base/log.h"

namespace machida::source {
namespace {

constexpr std::uint64_t kSearchAgainMs = 250;     // until the partitions are found
constexpr std::uint64_t kSearchForNewMs = 5'000;  // partitions that are added later

}  // namespace

KafkaEpochSource::KafkaEpochSource(uv::Loop& loop, flow::Pipeline& pipeline, flow::Intake& intake,
                                   kafka::ConsumerSettings settings, Share share,
                                   const std::vector<Position>& restored,
                                   metrics::Registry& metrics)
    : loop_(loop),
      intake_(intake),
      settings_(std::move(settings)),
      share_(share),
      id_("kafka:" + pipeline.name() + ":" + settings_.topic),
      status_(pipeline, settings_.topic, "from the checkpoint", metrics),
      messages_(loop, pipeline, intake, settings_.topic, metrics),
      wake_(loop, [this] { work(); }),
      soon_(loop, [this] { work(); }),
      search_timer_(loop, [this] { search(); }),
      alive_(std::make_shared<bool>(true)) {
  for (const Position& position : restored) {
    std::int32_t partition = 0;
    const char* end = position.part.data() + position.part.size();
    if (position.source == id_ &&
        std::from_chars(position.part.data(), end, partition).ptr == end && share_.has(partition))
      messages_.positions()[partition] = position.value;
  }
  consumer_ = std::make_unique<kafka::Consumer>(settings_, *this, [this] { wake_.ask(); });
  intake_.watch([this] {
    if (!intake_.paused()) soon_.ask();
  });
}

KafkaEpochSource::~KafkaEpochSource() {
  *alive_ = false;
  messages_.forget();
  consumer_->silence();
  uv::end_elsewhere(loop_, consumer_);
}

void KafkaEpochSource::open(OnOpen on_open) {
  status_.opening(std::move(on_open));
  search();
}

void KafkaEpochSource::search() {
  const auto found = std::make_shared<kafka::PartitionsFound>();
  uv::offload(
      loop_,
      [search = consumer_->partition_search(), known = messages_.positions(),
       check_known = !assigned_, found] { *found = search(known, check_known); },
      [this, alive = alive_, found] {
        if (*alive) on_found(*found);
      });
}

void KafkaEpochSource::on_found(const kafka::PartitionsFound& found) {
  consumer_->serve();
  if (draining_) return;  // the last epoch has its positions already
  if (found.lacks_offset)
    throw kafka::KafkaError(status_.who() + ": " + found.error + " (start=\"error\")");
  if (!found.error.empty()) {
    on_trouble(found.trouble, found.error);
    return search_timer_.start(kSearchAgainMs);
  }
  kafka::Positions& positions = messages_.positions();
  if (!assigned_) {
    for (const std::string& gone : found.gone) log::error("{}: {}", status_.who(), gone);
    positions.clear();
  }
  const std::size_t known = positions.size();
  for (const auto& [partition, offset] : found.positions)
    if (share_.has(partition)) positions.try_emplace(partition, offset);
  if (!assigned_ || positions.size() > known) {
    log::info("{}: reads {} partitions", status_.who(), positions.size());
    consumer_->assign(positions);
    assigned_ = true;
    status_.well_again();
    status_.opened();
    soon_.ask();
  }
  search_timer_.start(kSearchForNewMs);
}

void KafkaEpochSource::work() {
  consumer_->serve();
  if (!assigned_ || draining_ || intake_.paused()) return;
  const KafkaMessages::Ran ran = messages_.run(*consumer_);
  if (!ran.error.empty()) on_trouble(kafka::Trouble::kOther, ran.error);
  if (ran.messages > 0) status_.well_again();
  if (ran.more) soon_.ask();
}

void KafkaEpochSource::positions(std::vector<Position>& out) const {
  for (const auto& [partition, offset] : messages_.positions())
    out.push_back({id_, std::to_string(partition), offset});
}

void KafkaEpochSource::passed(const std::vector<Position>& positions) {
  kafka::Positions mine;
  for (const Position& position : positions)
    if (position.source == id_) mine[std::atoi(position.part.c_str())] = position.value;
  if (!mine.empty()) consumer_->commit(mine);
}

// Only what other tools show depends on it.
void KafkaEpochSource::on_committed(const std::string& error) {
  if (!error.empty()) log::debug("{}: offsets can't be committed: {}", status_.who(), error);
}

void KafkaEpochSource::on_trouble(kafka::Trouble kind, const std::string& what) {
  status_.trouble(kind, what);
}

}  // namespace machida::source
