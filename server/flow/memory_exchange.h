// The exchange of several workers in one process: references change hands, nothing is copied. The
// caller decides when a worker takes what has arrived. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "server/flow/exchange.h"

namespace machida::flow {

class MemoryExchange {
 public:
  struct Arrival {
    StepAddress to;
    Batch records;
  };

  explicit MemoryExchange(std::uint32_t workers) : arrivals_(workers), sender_(*this) {}

  // What every worker sends to.
  Exchange& exchange() noexcept { return sender_; }
  // The oldest that waits for this worker; for Pipeline::run_from().
  std::optional<Arrival> take(std::uint32_t worker);
  bool idle() const noexcept;

 private:
  class Sender final : public Exchange {
   public:
    explicit Sender(MemoryExchange& exchange) : exchange_(exchange) {}
    void send(const embed::Gil&, std::uint32_t worker, StepAddress to, const Place& place,
              Batch& records) override;

   private:
    MemoryExchange& exchange_;
  };

  std::vector<std::deque<Arrival>> arrivals_;  // by worker
  Sender sender_;
};

}  // namespace machida::flow
