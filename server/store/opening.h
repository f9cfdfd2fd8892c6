// From a directory to a store that verifies, or to the reason why there is none.
#pragma once

#include <memory>
#include <string>

#include "server/store/contents.h"
#include "server/store/store.h"

namespace machida::store {

struct Opened {
  std::unique_ptr<Database> database;
  Contents contents;
  std::unique_ptr<Head> head;
  std::string warning;  // what was dropped; empty: nothing
};

Opened open_store(const std::string& directory, int worker, const std::string& application,
                  Damage damage);

// Throws StoreError if it is another application's or another worker's.
void check_owner(const Database& database, const Meta& meta, const std::string& application,
                 int worker);

}  // namespace machida::store
