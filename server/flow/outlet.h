// The end of a pipeline: what takes the encoded outputs. Implemented by the sinks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "embed/gil.h"
#include "server/flow/batch.h"

namespace machida::flow {

// How far outputs have got, so that a source commits only what is safe.
class Delivery {
 public:
  virtual ~Delivery() = default;
  // A mark behind everything written so far.
  virtual std::uint64_t mark() = 0;
  // Everything before the mark has been delivered, or has become a dead letter.
  virtual bool delivered(std::uint64_t mark) = 0;
};

// Takes bytes.
class Outlet : public Delivery {
 public:
  // One output, verbatim and whole. Never refuses: a full sink pauses the sources.
  virtual void write(std::string_view bytes) = 0;
};

// Takes messages with keys.
class MessageOutlet : public Delivery {
 public:
  // One output; `partition` nothing: by the key. Returns why it can never be delivered, or "".
  virtual std::string write(std::string_view value, std::optional<std::string_view> key,
                            std::optional<std::int32_t> partition) = 0;
};

// Takes records as they are.
class RecordOutlet : public Delivery {
 public:
  // All records of a batch, which keeps them: the outlet takes references of its own. What it can
  // never deliver becomes a dead letter; returns how many did not.
  virtual std::size_t write(const embed::Gil&, const Batch& records) = 0;
};

}  // namespace machida::flow
