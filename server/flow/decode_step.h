// The application's decoder: frames or messages in, records out.
#pragma once

#include <span>
#include <string_view>

#include "server/flow/message.h"
#include "server/flow/step.h"

namespace machida::flow {

class DecodeStep final {
 public:
  // With `message_class`, decode(value, message) gets an instance of it beside the value:
  // message_class(topic, partition, offset, timestamp_ms, key, headers).
  DecodeStep(Place place, DeadLetters& dead_letters, embed::Object decode,
             embed::Object message_class)
      : place_(std::move(place)),
        dead_letters_(dead_letters),
        decode_(std::move(decode)),
        message_class_(std::move(message_class)) {}

  // decode(bytes) of each frame, appended to `out`; None is dropped.
  void run_frames(const embed::Gil&, std::span<const std::string_view> frames, Batch& out);

  // The same for messages; a tombstone's value is None.
  void run_messages(const embed::Gil&, std::span<const Message> messages, Batch& out);

  bool wants_messages() const noexcept { return static_cast<bool>(message_class_); }

 private:
  void decode(const embed::Gil&, _object* bytes, Batch& out);
  void decode_message(const embed::Gil&, const Message& message, _object* value, Batch& out);

  Place place_;
  DeadLetters& dead_letters_;
  embed::Object decode_;
  embed::Object message_class_;
};

}  // namespace machida::flow
