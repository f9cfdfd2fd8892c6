#include "tests/sim/sources.h"

#include <string_view>

#include "embed/gil.h"

namespace machida::sim {

namespace {
constexpr std::uint64_t kNothingUsMax = 2'000;  // until a source looks again
}  // namespace

Reader::Reader(Scheduler& scheduler, flow::Intake& intake, std::uint64_t delay_us_max)
    : scheduler_(scheduler), intake_(intake), delay_us_max_(delay_us_max) {
  intake_.watch([this] {
    if (!intake_.paused()) read_later(delay_us_max_);
  });
}

void Reader::open() {
  open_ = true;
  read_later(delay_us_max_);
}

void Reader::read_later(std::uint64_t delay_us_max) {
  if (!open_ || asked_) return;
  asked_ = true;
  scheduler_.after(scheduler_.random().below(delay_us_max), [this, alive = alive_] {
    if (!*alive) return;
    asked_ = false;
    if (draining_ || intake_.paused()) return;
    read_later(read() ? delay_us_max_ : kNothingUsMax);
  });
}

LogReader::LogReader(Scheduler& scheduler, flow::Intake& intake, std::uint64_t delay_us_max,
                     const Broker& broker, flow::Pipeline& pipeline, Share share,
                     std::size_t records_max, const std::vector<Position>& restored)
    : Reader(scheduler, intake, delay_us_max),
      broker_(broker),
      pipeline_(pipeline),
      share_(share),
      records_max_(records_max) {
  for (std::size_t p = share.index; p < broker.partitions().size(); p += share.of) offsets_[p] = 0;
  for (const Position& position : restored)
    if (position.source == kSource)
      if (const auto mine = offsets_.find(std::stoull(position.part)); mine != offsets_.end())
        mine->second = position.value;
}

void LogReader::positions(std::vector<Position>& out) const {
  for (const auto& [partition, offset] : offsets_)
    out.push_back({kSource, std::to_string(partition), offset});
}

void LogReader::passed(const std::vector<Position>& positions) {
  scheduler().note("passed", share_.index, static_cast<std::int64_t>(positions.size()));
}

bool LogReader::at_the_end() const {
  for (const auto& [partition, offset] : offsets_)
    if (static_cast<std::size_t>(offset) < broker_.partitions()[partition].size()) return false;
  return true;
}

bool LogReader::has_message(std::size_t partition, std::int64_t offset) {
  const Broker::Partition& messages = broker_.partitions()[partition];
  const auto at = static_cast<std::size_t>(offset);
  return at < messages.size() && messages[at].at_us <= scheduler().now_us();
}

bool LogReader::read() {
  if (offsets_.empty()) return false;
  const auto chosen = std::next(
      offsets_.begin(), static_cast<std::ptrdiff_t>(scheduler().random().below(offsets_.size())));
  const std::size_t partition = chosen->first;
  std::int64_t offset = chosen->second;
  std::vector<flow::Message> messages;
  while (messages.size() < records_max_ && has_message(partition, offset)) {
    flow::Message& message = messages.emplace_back();
    message.value = broker_.partitions()[partition][static_cast<std::size_t>(offset)].text;
    message.partition = static_cast<std::int32_t>(partition);
    message.offset = offset++;
  }
  if (messages.empty()) return false;
  scheduler().note("reads partition", share_.index, static_cast<std::int64_t>(partition),
                   chosen->second);
  const embed::GilLock gil;
  pipeline_.run_messages(gil, messages);
  chosen->second = offset;
  return true;
}

bool ClientReader::read() {
  if (connected_.empty()) return false;
  const std::size_t client = connected_[scheduler().random().below(connected_.size())];
  const std::vector<std::string> texts = clients_.frames(client, records_max_);
  if (texts.empty()) return false;
  const std::vector<std::string_view> frames(texts.begin(), texts.end());
  const std::int64_t record = inputs_.journal().position();
  const bool is_written = log_.append(frames);
  scheduler().note(is_written ? "journals frames" : "has no room for frames", worker_, record,
                   static_cast<std::int64_t>(frames.size()));
  if (!is_written) return false;
  clients_.accepted(client, frames.size(), worker_, record);
  const embed::GilLock gil;
  pipeline_.run_frames(gil, frames);
  return true;
}

}  // namespace machida::sim
