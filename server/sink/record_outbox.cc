#include "server/sink/record_outbox.h"

#include <utility>

#include "embed/value.h"

namespace machida::sink {

using embed::Gil;
using embed::Object;

RecordPickler::RecordPickler(const Gil& gil, embed::Pickling records)
    : records_(std::move(records)), lists_(gil) {}

std::string RecordPickler::dump(const Gil& gil, const std::vector<Object>& records) const {
  std::vector<Object> parts;
  parts.reserve(records.size());
  for (const Object& record : records)
    parts.push_back(records_.is_pickle()
                        ? record.clone(gil)
                        : embed::make_bytes(gil, records_.dump(gil, record.get())));
  return lists_.dump(gil, embed::make_list(gil, std::move(parts)).get());
}

std::vector<Object> RecordPickler::load(const Gil& gil, const RecordChunks& chunks) const {
  std::vector<Object> records;
  for (const std::shared_ptr<const std::string>& chunk : chunks)
    for (Object& part : embed::items(gil, lists_.load(gil, *chunk))) {
      if (records_.is_pickle())
        records.push_back(std::move(part));
      else
        records.push_back(records_.load(gil, *embed::bytes_view(gil, part.get())));
    }
  return records;
}

}  // namespace machida::sink
