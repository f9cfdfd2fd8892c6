// How many workers a resilience directory is for, and how that number changes: the stores of the
// new workers are made in a directory of their own within it, and take the old ones' place once all
// of them are complete. A crash anywhere leaves the old ones or leads to the new ones.
#pragma once

#include <cstdint>
#include <string>

#include "server/store/directory.h"

namespace machida::store {

// 0: nothing has been stored yet. Throws StoreError.
std::uint32_t workers_of_layout(const Directory& directory);
void write_layout(const Directory& directory, std::uint32_t workers);

// A fresh directory for the stores to come; what an interrupted change left there is gone. Returns
// its path.
std::string begin_new_stores(const Directory& directory);
// They are complete and durable, and are for so many workers.
void complete_new_stores(const Directory& directory, std::uint32_t workers);
// Whether finish_change() has something to do.
bool is_changing(const Directory& directory);
// Goes on with a change that was completed, or forgets one that was not. At every start, before
// anything is opened; the directory has a new identity after a change.
void finish_change(const Directory& directory);

}  // namespace machida::store
