// The application's encoder, in front of one sink: records in, outputs out.
#pragma once

#include "server/flow/outlet.h"
#include "server/flow/output_step.h"
#include "server/flow/step.h"
#include "server/metrics/counter.h"

namespace machida::flow {

class EncodeStep : public OutputStep {
 public:
  EncodeStep(Place place, DeadLetters& dead_letters, embed::Object encode,
             metrics::Counter& outputs)
      : OutputStep(outputs),
        place_(std::move(place)),
        dead_letters_(dead_letters),
        encode_(std::move(encode)) {}

  // encode(data) of each record; None sends nothing.
  void run(const embed::Gil&, const Batch& records) final;

 private:
  bool encode(const embed::Gil&, _object* record);
  // Hands over what the encoder returned. Throws PythonError when it can't be sent.
  virtual void send(const embed::Gil&, _object* encoded) = 0;

  Place place_;
  DeadLetters& dead_letters_;
  embed::Object encode_;
};

// For sinks of bytes: the encoder returns bytes, or str that is sent as UTF-8.
class BytesEncodeStep final : public EncodeStep {
 public:
  BytesEncodeStep(Place place, DeadLetters& dead_letters, embed::Object encode,
                  metrics::Counter& outputs, Outlet& outlet)
      : EncodeStep(std::move(place), dead_letters, std::move(encode), outputs), outlet_(outlet) {}

 private:
  void send(const embed::Gil&, _object* encoded) override;
  Outlet& outlet_;
};

// For sinks of messages: the encoder returns (value, key), (value, key, partition) or the value.
class MessageEncodeStep final : public EncodeStep {
 public:
  MessageEncodeStep(Place place, DeadLetters& dead_letters, embed::Object encode,
                    metrics::Counter& outputs, MessageOutlet& outlet)
      : EncodeStep(std::move(place), dead_letters, std::move(encode), outputs), outlet_(outlet) {}

 private:
  void send(const embed::Gil&, _object* encoded) override;
  MessageOutlet& outlet_;
};

}  // namespace machida::flow
