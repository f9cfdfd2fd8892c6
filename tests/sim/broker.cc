#include "tests/sim/broker.h"

#include <utility>

namespace machida::sim {

std::uint64_t Broker::introduce(const std::string& id) {
  Producer& producer = producers_[id];
  producer.open.clear();
  return ++producer.number;
}

void Broker::send(const std::string& id, std::uint64_t producer, std::string text) {
  if (producers_[id].number == producer) producers_[id].open.push_back(std::move(text));
}

kafka::Outcome Broker::commit(const std::string& id, std::uint64_t producer, std::int64_t epoch) {
  Producer& known = producers_[id];
  if (known.number != producer) return kafka::Outcome::kFatal;
  if (known.visible_epoch == epoch) return kafka::Outcome::kDone;  // the answer was lost
  const bool trouble = random_.chance(trouble_percent_);
  const std::uint64_t kind = trouble ? random_.below(4) : 0;
  if (trouble && kind == 0) return kafka::Outcome::kRetry;
  if (trouble && kind == 1) {
    known.open.clear();
    return kafka::Outcome::kAbort;
  }
  if (trouble && kind == 2) {
    introduce(id);
    return kafka::Outcome::kFatal;
  }
  for (std::string& text : std::exchange(known.open, {})) visible_.push_back(std::move(text));
  known.visible_epoch = epoch;
  return trouble ? kafka::Outcome::kRetry : kafka::Outcome::kDone;
}

}  // namespace machida::sim
