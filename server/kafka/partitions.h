// Finds a topic's partitions and where to start in each, without a consumer group's help.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "server/kafka/client.h"

struct rd_kafka_s;

namespace machida::kafka {

// Partition -> offset of the next message to process.
using Positions = std::map<std::int32_t, std::int64_t>;

struct PartitionsFound {
  Positions positions;            // of every partition that the topic has, never a logical offset
  std::vector<std::string> gone;  // what a known position refers to and the topic has not any more
  std::string error;              // "": they are complete
  Trouble trouble = Trouble::kOther;
  bool lacks_offset = false;  // the error is that `start` forbids to choose one
};

// How many partitions a topic has. Returns librdkafka's error, 0 for none; blocks up to
// `timeout_ms`.
int count_partitions(rd_kafka_s* client, const std::string& topic, int timeout_ms,
                     std::int32_t& partitions);

// Those in `known` stay as they are, or, with `check_known`, unless the topic has lost what is
// there; a new one starts
// where the client's group has committed, or by `start`: earliest, latest, error. Blocks up to
// `timeout_ms` for each question.
PartitionsFound find_partitions(rd_kafka_s* client, const std::string& topic,
                                const std::string& start, const Positions& known, bool check_known,
                                int timeout_ms);

}  // namespace machida::kafka
