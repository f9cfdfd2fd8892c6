// Makes a sound store of the epochs that verify in a damaged one. The new file is complete and
// durable under another name before the damaged one is put aside, so a crash leaves either of them;
// finish_rebuild() does the rest at the next start.
#pragma once

#include <string>

#include "server/store/contents.h"
#include "server/store/names.h"

namespace machida::store {

// Leaves `contents` unusable, the damaged store closed and nothing but finish_rebuild() to do.
void rebuild(std::unique_ptr<Database> damaged, Contents contents, const std::string& directory,
             const Names& names);

// Puts a rebuilt store in the damaged one's place, if there is one.
void finish_rebuild(const std::string& directory, const Names& names);

}  // namespace machida::store
