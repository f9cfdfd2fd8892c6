#include "server/worker/storage_sinks.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "embed/error.h"
#include "embed/value.h"
#include "server/base/log.h"

namespace machida::worker {
namespace {

constexpr std::uint64_t kCloseMs = 5000;  // and once more after what runs was cancelled

}  // namespace

StorageSinks::StorageSinks(const embed::Gil& gil, const StorageOptions& options,
                           std::size_t worker_index, std::size_t worker_count) {
  const embed::Object make = embed::imported(gil, "wallaroo.storage.runtime", "Storage");
  shared_ = embed::call(
      gil, make,
      embed::make_str(gil, fmt::format(R"({{"sinks":{},"worker_index":{},"worker_count":{}}})",
                                       options.sections_json, worker_index, worker_count)));
  cancel_ = std::move(*embed::find_attribute(gil, shared_, "cancel"));
  close_ = std::move(*embed::find_attribute(gil, shared_, "close"));
  sink_ = std::move(*embed::find_attribute(gil, shared_, "sink"));
}

StorageSinks::~StorageSinks() = default;

embed::Object StorageSinks::running(const embed::Gil& gil, const plan::StorageSinkSpec& spec,
                                    const std::string& epoch_name) const {
  return embed::call(gil, sink_, spec.sink, embed::make_str(gil, epoch_name));
}

bool StorageSinks::wait_closed(std::uint64_t wait_ms) const {
  for (sink::StorageSink* sink : sinks_) sink->close(0);  // all at once
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  bool all = true;
  for (sink::StorageSink* sink : sinks_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    all = sink->close(static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 0))) && all;
  }
  return all;
}

bool StorageSinks::close_sinks() {
  if (!wait_closed(kCloseMs)) {
    log::warn("a storage sink hangs: what its coroutines do is cancelled");
    {
      const embed::GilLock gil;
      embed::call(gil, cancel_);
    }
    if (!wait_closed(kCloseMs)) {
      log::error("a storage sink does not come back: the server ends without it");
      all_ended_ = false;
    }
  }
  sinks_.clear();
  return all_ended_;
}

bool StorageSinks::close() {
  if (std::exchange(closed_, true)) return all_ended_;
  close_sinks();
  const embed::GilLock gil;
  try {
    embed::call(gil, close_);
  } catch (const embed::PythonError& error) {
    log::error("closing what the storage sinks shared failed:\n{}", error.traceback());
  }
  return all_ended_;
}

}  // namespace machida::worker
