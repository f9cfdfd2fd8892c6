#include "server/worker/in_process.h"

#include <algorithm>
#include <span>
#include <stdexcept>

#include "server/wire/frame_reader.h"

namespace machida::worker {

class InProcess::Collector final : public flow::Outlet {
 public:
  explicit Collector(std::vector<Output>& outputs) : outputs_(outputs) {}
  void write(std::string_view bytes) override { outputs_.push_back({.value = std::string(bytes)}); }
  std::uint64_t mark() override { return 0; }
  bool delivered(std::uint64_t) override { return true; }

 private:
  std::vector<Output>& outputs_;
};

class InProcess::MessageCollector final : public flow::MessageOutlet {
 public:
  explicit MessageCollector(std::vector<Output>& outputs) : outputs_(outputs) {}
  std::string write(std::string_view value, std::optional<std::string_view> key,
                    std::optional<std::int32_t> partition) override {
    outputs_.push_back({.value = std::string(value),
                        .is_message = true,
                        .key = key ? std::optional<std::string>(*key) : std::nullopt,
                        .partition = partition});
    return "";
  }
  std::uint64_t mark() override { return 0; }
  bool delivered(std::uint64_t) override { return true; }

 private:
  std::vector<Output>& outputs_;
};

class InProcess::RecordCollector final : public flow::RecordOutlet {
 public:
  explicit RecordCollector(std::vector<Output>& outputs) : outputs_(outputs) {}
  std::size_t write(const embed::Gil& gil, const flow::Batch& records) override {
    for (std::size_t i = 0; i < records.size(); ++i)
      outputs_.push_back({.record = embed::Object::borrow(gil, records.at(i))});
    return records.size();
  }
  std::uint64_t mark() override { return 0; }
  bool delivered(std::uint64_t) override { return true; }

 private:
  std::vector<Output>& outputs_;
};

class InProcess::DeadLetterList final : public flow::DeadLetters {
 public:
  void add(const embed::Gil& gil, const flow::Place& place, const embed::PythonError& error,
           _object* input) override {
    letters.push_back({place, error.what(), error.traceback(), embed::Object::borrow(gil, input)});
  }
  std::vector<DeadLetter> letters;
};

InProcess::InProcess(const embed::Gil& gil, const plan::Plan& plan, UnknownKeyPolicy unknown_keys,
                     std::size_t frame_bytes_max, Seat seat)
    : plan_(plan),
      frame_bytes_max_(frame_bytes_max),
      dead_letters_(std::make_unique<DeadLetterList>()) {
  assembly_ = std::make_unique<Assembly>(gil, plan, unknown_keys, *dead_letters_, metrics_, *this,
                                         time_, seat);
}

flow::Outlet& InProcess::of_bytes(std::size_t pipeline, std::size_t sink) {
  auto made = std::make_unique<Collector>(outputs_[{pipeline, sink}]);
  Collector& collector = *made;
  collectors_.push_back(std::move(made));
  return collector;
}

flow::MessageOutlet& InProcess::of_messages(std::size_t pipeline, std::size_t sink) {
  auto made = std::make_unique<MessageCollector>(outputs_[{pipeline, sink}]);
  MessageCollector& collector = *made;
  collectors_.push_back(std::move(made));
  return collector;
}

flow::RecordOutlet& InProcess::of_records(std::size_t pipeline, std::size_t sink) {
  auto made = std::make_unique<RecordCollector>(outputs_[{pipeline, sink}]);
  RecordCollector& collector = *made;
  collectors_.push_back(std::move(made));
  return collector;
}

InProcess::~InProcess() = default;

std::size_t InProcess::pipeline_named(std::string_view name) const {
  for (std::size_t i = 0; i < plan_.pipelines.size(); ++i)
    if (plan_.pipelines[i].name == name) return i;
  return std::string::npos;
}

void InProcess::feed_frames(const embed::Gil& gil, std::size_t pipeline,
                            const std::vector<std::optional<std::string_view>>& values) {
  const auto* kafka = std::get_if<plan::KafkaSourceSpec>(&plan_.pipelines[pipeline].source.from);
  std::vector<flow::Message> messages;
  for (const std::optional<std::string_view>& value : values) {
    if (!value && !kafka)
      throw std::invalid_argument("only a Kafka source has messages without a value");
    flow::Message& message = messages.emplace_back();
    message.value = value;
    message.topic = kafka ? std::string_view(kafka->settings.topic) : std::string_view();
    message.offset = static_cast<std::int64_t>(messages.size()) - 1;
  }
  const std::span<const flow::Message> all(messages);
  for (std::size_t at = 0; at < all.size(); at += flow::kBatchRecordsMax)
    assembly_->pipelines()[pipeline]->run_messages(
        gil, all.subspan(at, std::min(flow::kBatchRecordsMax, all.size() - at)));
}

void InProcess::feed_records(const embed::Gil& gil, std::size_t pipeline,
                             std::vector<embed::Object> records) {
  flow::Batch batch;
  for (std::size_t i = 0; i < records.size(); ++i) {
    batch.push(records[i].release());
    if (batch.size() == flow::kBatchRecordsMax || i + 1 == records.size())
      assembly_->pipelines()[pipeline]->run_records(gil, batch);
  }
}

void InProcess::receive(const embed::Gil& gil, flow::MemoryExchange::Arrival arrival) {
  assembly_->pipelines()[arrival.to.pipeline]->run_from(gil, arrival.to.step, arrival.records);
}

std::size_t InProcess::end_stage(const embed::Gil& gil, std::size_t pipeline, std::size_t first) {
  return assembly_->pipelines()[pipeline]->end_stage(gil, first);
}

std::string InProcess::feed_stream(const embed::Gil& gil, std::size_t pipeline,
                                   const std::vector<std::string_view>& reads) {
  const wire::Framing framing =
      framing_of(gil, plan_.pipelines[pipeline].source.decoder, frame_bytes_max_);
  wire::FrameReader reader(framing);
  std::vector<std::string_view> frames;
  for (const std::string_view read : reads) {
    reader.feed(read);
    while (true) {
      const Result<std::size_t> cut = reader.next(frames, flow::kBatchRecordsMax);
      if (!cut) return cut.error();
      if (*cut == 0) break;
      assembly_->pipelines()[pipeline]->run_frames(gil, frames);
    }
    reader.keep();
  }
  return reader.rest().empty() ? "" : "the stream ends inside a frame";
}

const std::vector<Output>& InProcess::outputs(std::size_t pipeline, std::size_t sink) const {
  return outputs_.at({pipeline, sink});
}

const std::vector<DeadLetter>& InProcess::dead_letters() const noexcept {
  return dead_letters_->letters;
}

}  // namespace machida::worker
