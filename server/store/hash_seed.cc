#include "server/store/hash_seed.h"

#include <fstream>

#include "server/base/log.h"
#include "server/store/file.h"
#include "server/store/store_error.h"

namespace machida::store {

void warn_of_hash_seed(const Directory& directory, const std::string& seed) {
  const std::string path = directory.file("hash-seed");
  if (!size_of(path)) {
    if (!write_durably(path, seed + "\n")) throw StoreError(path + ": there is no room for it");
    return sync_directory(directory.path());
  }
  std::string noted;
  std::ifstream(path) >> noted;
  if (noted != seed)
    log::warn(
        "{}: its states were made with PYTHONHASHSEED={}, and now it is {}: where a partition "
        "function uses hash(), keys do not find their states",
        directory.path(), noted, seed);
}

}  // namespace machida::store
