// Batches as bytes, for another process of the same application: one pickled list, or, where the
// application has serialize() and deserialize(), record by record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "embed/error.h"
#include "embed/gil.h"
#include "embed/pickling.h"
#include "server/flow/batch.h"
#include "server/flow/dead_letters.h"

namespace machida::flow {

class BatchCodec {
 public:
  // Of one encoded batch. Larger ones are sent in parts; a record that is larger is a dead letter.
  static constexpr std::size_t kBytesMax = 64u << 20;

  BatchCodec(embed::Pickling pickling, DeadLetters& dead_letters, std::size_t bytes_max = kBytesMax)
      : pickling_(std::move(pickling)), dead_letters_(dead_letters), bytes_max_(bytes_max) {}

  // Hands `records` on as one or several encoded parts, in order. A record that can't be encoded
  // becomes a dead letter of `place`. May throw what DeadLetters throws.
  using OnPart = std::function<void(std::uint32_t count, std::string_view bytes)>;
  void encode(const embed::Gil&, const Batch& records, const Place& place, const OnPart& on_part);

  // Appends what encode() was given. What can't be decoded becomes a dead letter with the bytes as
  // input: a single record, or of a pickled list all.
  void decode(const embed::Gil&, std::string_view bytes, const Place& place, Batch& into);

 private:
  void encode_list(const embed::Gil&, const Batch& records, std::size_t first, std::size_t last,
                   const Place& place, const OnPart& on_part);
  void encode_each(const embed::Gil&, const Batch& records, const Place& place,
                   const OnPart& on_part);
  void unencodable(const embed::Gil&, const embed::PythonError& error, const Place& place,
                   _object* record);
  void undecodable(const embed::Gil&, const embed::PythonError& error, std::string_view bytes,
                   const Place& place);

  embed::Pickling pickling_;
  DeadLetters& dead_letters_;
  std::size_t bytes_max_;
};

}  // namespace machida::flow
