// Deletes in pieces what a base has made superfluous: rows up to its epoch, and epochs and
// positions before it. Until it is deleted nobody looks at it.
#pragma once

#include "server/store/compaction.h"
#include "server/store/database.h"
#include "server/store/epoch_record.h"

namespace machida::store {

// Whether there is more. `base`: the record of the base's epoch. In a transaction of the caller.
bool delete_garbage(Database& store, const EpochRecord& base, Deadline deadline);

}  // namespace machida::store
