// The storage sinks of one worker and what they share, such as the bridge to coroutines: makes
// them, and closes them in the end, also after a failed run. Worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "embed/gil.h"
#include "embed/object.h"
#include "server/plan/plan.h"
#include "server/sink/storage_sink.h"

namespace machida::worker {

struct StorageOptions {
  std::string sections_json = "{}";  // streaming.sinks of the configuration
  std::uint32_t retries = 5;         // of a write that failed
};

class StorageSinks {
 public:
  StorageSinks(const embed::Gil&, const StorageOptions& options, std::size_t worker_index,
               std::size_t worker_count);
  ~StorageSinks();

  // wallaroo.storage.runtime's end of a sink.
  embed::Object running(const embed::Gil&, const plan::StorageSinkSpec& spec,
                        const std::string& epoch_name) const;
  // To be closed before it ends.
  void add(sink::StorageSink& sink) { sinks_.push_back(&sink); }

  // Closes the sinks; what hangs in a coroutine is cancelled after a while. False: something hangs
  // otherwise, its thread is left to itself. Without the lock.
  bool close_sinks();
  // Closes the sinks, then what they share.
  bool close();

 private:
  bool wait_closed(std::uint64_t wait_ms) const;

  embed::Object shared_, cancel_, close_, sink_;
  std::vector<sink::StorageSink*> sinks_;
  bool closed_ = false;
  bool all_ended_ = true;
};

}  // namespace machida::worker
