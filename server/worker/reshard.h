// The stores of N workers out of those of M: every state goes to the worker that owns its key, the
// sources' positions go to all, who take what is theirs. For a directory whose last epoch is closed
// and whose journals are empty. Blocks.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "embed/gil.h"
#include "server/plan/plan.h"
#include "server/store/directory.h"
#include "server/store/epoch_store.h"

namespace machida::worker {

// Leaves complete stores beside the old ones; store::finish_change() puts them in their place.
// Throws store::StoreError, and embed::PythonError for keys that do not unpickle.
void reshard(const embed::Gil&, const plan::Plan& plan, const store::Directory& directory,
             std::uint32_t old_workers, std::uint32_t new_workers);

// The same with stores that are open: all that is in `old_stores`, whose last epoch is closed, goes
// to `new_stores`, which are fresh; both by worker. Returns how many keys there are.
using Stores = std::vector<std::unique_ptr<store::EpochStore>>;
std::uint64_t deal_out(const embed::Gil&, const plan::Plan& plan, const Stores& old_stores,
                       const Stores& new_stores);

}  // namespace machida::worker
