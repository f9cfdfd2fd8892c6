// Which seed hash() had when the states of a directory were made (PYTHONHASHSEED), kept in its file
// `hash-seed`. A partition function that uses hash() finds them under the same seed only.
#pragma once

#include <string>

#include "server/store/directory.h"

namespace machida::store {

// Notes the seed if none is noted; logs a warning if it is another one. Throws StoreError when the
// file can't be made.
void warn_of_hash_seed(const Directory& directory, const std::string& seed);

}  // namespace machida::store
