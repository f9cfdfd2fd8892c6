// An epoch's records for a storage sink as bytes that can be stored, and back. Each chunk is one
// pickled list: the records of a batch, or, where the application has its own serialize() and
// deserialize(), what those made of each record. Takes no lock; under the caller's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "embed/pickling.h"

namespace machida::sink {

using RecordChunks = std::vector<std::shared_ptr<const std::string>>;

class RecordPickler {
 public:
  // `records`: the application's.
  RecordPickler(const embed::Gil&, embed::Pickling records);

  // Throws PythonError: one of the records can't be pickled.
  std::string dump(const embed::Gil&, const std::vector<embed::Object>& records) const;
  // All records, in order. Throws PythonError.
  std::vector<embed::Object> load(const embed::Gil&, const RecordChunks& chunks) const;

 private:
  embed::Pickling records_, lists_;
};

}  // namespace machida::sink
