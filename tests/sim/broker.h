// The Kafka of a simulation: partitions that messages arrive in over time, and transactions that
// make outputs visible together with an epoch's number, or fail in every way that
// kafka::Transactions tells. Outlives the workers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "server/kafka/transactions.h"
#include "tests/sim/random.h"

namespace machida::sim {

class Broker {
 public:
  struct Message {
    std::string text;
    std::uint64_t at_us;  // when it arrives
  };
  using Partition = std::vector<Message>;  // by time

  Broker(Random& random, std::vector<Partition> partitions, std::uint64_t trouble_percent)
      : random_(random), partitions_(std::move(partitions)), trouble_percent_(trouble_percent) {}

  const std::vector<Partition>& partitions() const noexcept { return partitions_; }

  // A producer makes itself known: an earlier one of the same id is fenced, and what it had open is
  // gone. Returns its number, for the calls below.
  std::uint64_t introduce(const std::string& id);
  // The newest epoch whose outputs are visible; 0: none.
  std::int64_t visible_epoch(const std::string& id) { return producers_[id].visible_epoch; }
  // Into the open transaction.
  void send(const std::string& id, std::uint64_t producer, std::string text);
  // kRetry: it may have happened or not.
  kafka::Outcome commit(const std::string& id, std::uint64_t producer, std::int64_t epoch);
  // There will be no more trouble.
  void recover() { trouble_percent_ = 0; }

  // What readers see, in order.
  const std::vector<std::string>& visible() const noexcept { return visible_; }

 private:
  struct Producer {
    std::uint64_t number = 0;
    std::int64_t visible_epoch = 0;
    std::vector<std::string> open;
  };

  Random& random_;
  const std::vector<Partition> partitions_;
  std::uint64_t trouble_percent_;
  std::map<std::string, Producer> producers_;
  std::vector<std::string> visible_;
};

}  // namespace machida::sim
