// How far a source has got: what a restart begins with.
#pragma once

#include <cstdint>
#include <string>

namespace machida {

struct Position {
  std::string source;      // "kafka:<topic>", "journal"
  std::string part;        // a Kafka partition's number; "" for the journal
  std::int64_t value = 0;  // the next message's offset, the next record's number
  bool operator==(const Position&) const = default;
};

}  // namespace machida
