#include "server/sink/storage_partition.h"

#include "embed/value.h"

namespace machida::sink {
namespace {

using embed::Gil;
using embed::Object;

Object method(const Gil& gil, const Object& of, const char* name) {
  return std::move(*embed::find_attribute(gil, of, name));
}

// What the runtime's calls return: None, a str, or a list of (index, why).
void read(const Gil& gil, const Object& answer, StoragePartition::Outcome& out) {
  if (embed::is_str(answer)) out.unavailable = embed::str(gil, answer);
  if (!embed::is_list(answer)) return;
  for (const Object& pair : embed::items(gil, answer)) {
    const std::vector<Object> parts = embed::items(gil, pair);
    out.rejected.emplace_back(static_cast<std::size_t>(embed::integer(gil, parts[0])),
                              embed::str(gil, parts[1]));
  }
}

template <class Call>
StoragePartition::Outcome outcome_of(Call&& call) {
  StoragePartition::Outcome out;
  const embed::GilLock gil;
  try {
    read(gil, call(gil), out);
  } catch (const embed::PythonError& error) {
    out.error = error;
  } catch (const embed::SystemExit&) {
    out.exit = std::current_exception();
  }
  return out;
}

}  // namespace

StoragePartition::StoragePartition(const Gil& gil, const Object& running_sink)
    : open_(method(gil, running_sink, "open")),
      write_(method(gil, running_sink, "write")),
      close_(method(gil, running_sink, "close")) {}

StoragePartition::Outcome StoragePartition::open() const {
  return outcome_of([this](const Gil& gil) { return embed::call(gil, open_); });
}

StoragePartition::Outcome StoragePartition::write(const Object& items,
                                                  std::optional<std::int64_t> epoch) const {
  return outcome_of([&](const Gil& gil) {
    return embed::call(gil, write_, items, epoch ? embed::make_int(gil, *epoch) : embed::none(gil));
  });
}

StoragePartition::Outcome StoragePartition::close() const {
  return outcome_of([this](const Gil& gil) { return embed::call(gil, close_); });
}

}  // namespace machida::sink
