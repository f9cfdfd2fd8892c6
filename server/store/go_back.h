// Makes a store forget its newest epochs: those that other workers' stores do not have, so that
// they never counted. A crash on the way leaves either the old or the new end.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "server/base/result.h"
#include "server/store/directory.h"

namespace machida::store {

// The number of the newest epoch in a worker's store, 0 when there is none; nothing else is
// verified. Throws StoreError when it can't be read.
std::int64_t newest_epoch(const Directory& directory, int worker);

// The epoch that all workers go on behind, out of the newest one in the store of each: the one that
// all have. A store may be one ahead: that epoch was never committed. An error names the worker
// whose store is further ahead. With `accept_damage` a store may have lost epochs, but not all.
Result<std::int64_t> common_epoch(std::span<const std::int64_t> newest, bool accept_damage = false);

// `epoch` becomes the newest one; 0: none is left. Nobody may have the store open. Throws
// StoreError when that epoch is not there any more.
void go_back(const Directory& directory, int worker, const std::string& application,
             std::int64_t epoch);

}  // namespace machida::store
