// What one worker's checkpoint of one epoch consists of. Plain values: no SQLite, no Python.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/position.h"

namespace machida::store {

// A partition key as the store keeps it, so that the sqlite3 shell shows it as what it is.
enum class KeyKind { kNone = 0, kText = 1, kInteger = 2, kBytes = 3, kPickle = 4 };

struct Key {
  KeyKind kind = KeyKind::kNone;  // kNone: the only state of an unkeyed step
  std::int64_t integer = 0;       // kInteger
  std::string bytes;              // the others: UTF-8, the bytes themselves, or a pickle
};

// One column for keys of every kind, beside the kind: an integer in decimal, the others' bytes.
std::string key_bytes(const Key& key);
Key key_of(KeyKind kind, std::string_view bytes);

struct StateRow {
  Key key;
  std::optional<std::string> value;  // the pickled state; nothing: the key has none any more
};

// What changed in one state during the epoch; each key at most once. A deque: there may be
// millions, and a vector that grows would move them all at once, on the loop's thread.
struct StateRows {
  std::string state;
  std::deque<StateRow> rows;
};

using machida::Position;  // server/base/position.h

// Outputs of the epoch that a sink has not made visible yet; the bytes are the sink's own.
struct Outbox {
  std::string sink;
  std::vector<std::shared_ptr<const std::string>> chunks;  // shared with the sink, never null
};

struct Epoch {
  std::int64_t number = 0;  // 1, 2, 3, ... without gaps
  std::vector<StateRows> states;
  std::vector<Position> positions;  // all sources' positions, not only those that moved
  std::vector<Outbox> outboxes;
};

}  // namespace machida::store
