// The transactions of a producer, as the epochs of a checkpoint use them: one transaction per
// epoch, and in each the epoch's number as an offset, so that after a crash the broker tells which
// epoch's outputs are visible. (No two-phase commit needed: the number is committed if and only if
// the outputs are.) The number is stored in a consumer group of its own, named like the
// transactional id, as the offset of the topic's partition 0 and in its metadata as "epoch=N".
// Everything but begin() blocks: call it off the loop, one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "server/base/result.h"
#include "server/kafka/producer.h"
#include "server/kafka/settings.h"

namespace machida::kafka {

// How a call ended, by what to do next.
enum class Outcome {
  kDone,
  kRetry,  // the same call again: nothing is decided yet
  kAbort,  // abort() the transaction, and produce it again
  kFatal,  // the producer is of no use any more: make a new one and ask visible_epoch()
};
struct Ended {
  Outcome outcome = Outcome::kDone;
  std::string why;
};

class Transactions {
 public:
  // `settings.transactional_id` is the producer's.
  Transactions(std::shared_ptr<Producer> producer, ProducerSettings settings);

  // Fences a producer of an earlier life and aborts what it had open.
  Ended init(int timeout_ms);
  // Messages that are sent from now on belong to the transaction. Any thread, does not block.
  Ended begin();
  // All messages must have been delivered. Makes them visible together with the epoch's number.
  Ended commit(std::int64_t epoch, int timeout_ms);
  Ended abort(int timeout_ms);

  // The newest epoch whose outputs are visible; 0: none. After init().
  Result<std::int64_t> visible_epoch(int timeout_ms) const;

 private:
  Ended send_epoch(std::int64_t epoch, int timeout_ms);
  std::string unreadable(int librdkafka_error) const;

  std::shared_ptr<Producer> producer_;
  ProducerSettings settings_;
  bool offsets_sent_ = false;  // in the open transaction
};

}  // namespace machida::kafka
