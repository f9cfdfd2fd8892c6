// Runs a plan in the calling process, without sockets and without an event loop, on the same
// framing, steps and encoders as the server: what `wallaroo.testing` stands on.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/flow/dead_letters.h"
#include "server/flow/memory_exchange.h"
#include "server/metrics/counter.h"
#include "server/plan/plan.h"
#include "server/worker/assembly.h"

namespace machida::worker {

struct DeadLetter {
  flow::Place place;
  std::string error;
  std::string traceback;
  embed::Object input;
};

// What a sink was given: bytes, a message with its key and partition, or a record.
struct Output {
  std::string value;
  bool is_message = false;
  std::optional<std::string> key = std::nullopt;
  std::optional<std::int32_t> partition = std::nullopt;
  embed::Object record;  // of a sink that takes records as they are: all there is
};

class InProcess final : public Outlets {
 public:
  // Throws what Assembly throws. `plan` must outlive it.
  // With a seat it is one of several workers, which the caller lets receive what others sent.
  InProcess(const embed::Gil&, const plan::Plan& plan, UnknownKeyPolicy unknown_keys,
            std::size_t frame_bytes_max, Seat seat = {});
  ~InProcess() override;

  // The pipeline of that name, or npos.
  std::size_t pipeline_named(std::string_view name) const;

  // Values for the decoder; nothing is a tombstone, which only Kafka sources have.
  void feed_frames(const embed::Gil&, std::size_t pipeline,
                   const std::vector<std::optional<std::string_view>>& values);
  void feed_records(const embed::Gil&, std::size_t pipeline, std::vector<embed::Object> records);
  // Takes the records.
  void receive(const embed::Gil&, flow::MemoryExchange::Arrival arrival);
  // No record will come: a stage of Pipeline::end_stage().
  std::size_t end_stage(const embed::Gil&, std::size_t pipeline, std::size_t first);
  // Raw bytes with headers, as one connection's reads; returns what is wrong with them, or "".
  std::string feed_stream(const embed::Gil&, std::size_t pipeline,
                          const std::vector<std::string_view>& reads);

  // The encoded outputs of a pipeline's sink, in order.
  const std::vector<Output>& outputs(std::size_t pipeline, std::size_t sink) const;
  const std::vector<DeadLetter>& dead_letters() const noexcept;
  const Assembly& assembly() const noexcept { return *assembly_; }
  const metrics::Registry& metrics() const noexcept { return metrics_; }

 private:
  class Collector;
  class MessageCollector;
  class RecordCollector;
  flow::Outlet& of_bytes(std::size_t pipeline, std::size_t sink) override;
  flow::MessageOutlet& of_messages(std::size_t pipeline, std::size_t sink) override;
  flow::RecordOutlet& of_records(std::size_t pipeline, std::size_t sink) override;

  class DeadLetterList;

  const plan::Plan& plan_;
  std::size_t frame_bytes_max_;
  metrics::Registry metrics_;
  WallTime time_;
  std::unique_ptr<DeadLetterList> dead_letters_;
  std::map<std::pair<std::size_t, std::size_t>, std::vector<Output>> outputs_;
  std::vector<std::unique_ptr<flow::Delivery>> collectors_;
  std::unique_ptr<Assembly> assembly_;
};

}  // namespace machida::worker
