// The application's decoder: frames in, records out.
#pragma once

#include <span>
#include <string_view>

#include "server/flow/step.h"

namespace machida::flow {

class DecodeStep final : public Step {
 public:
  DecodeStep(Place place, DeadLetters& dead_letters, embed::Object decode)
      : Step(std::move(place), dead_letters), decode_(std::move(decode)) {}

  // decode(bytes) of each frame, appended to `out`; None is dropped.
  void run_frames(const embed::Gil&, std::span<const std::string_view> frames, Batch& out);

  // The same for records that are bytes objects already.
  void run(const embed::Gil&, Batch& in, Batch& out) override;

 private:
  void decode(const embed::Gil&, _object* bytes, Batch& out);

  embed::Object decode_;
};

}  // namespace machida::flow
