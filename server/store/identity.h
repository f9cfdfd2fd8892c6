// Who a resilience directory is: a random name, made with it and kept in its file `id`, so that
// what brokers remember of one directory is never taken for another one's.
#pragma once

#include <string>

#include "server/store/directory.h"

namespace machida::store {

// 16 hexadecimal digits. Throws StoreError when it can't be read or made.
std::string identity_of(const Directory& directory);

// A new one: what brokers remember is not this store's any more, since it went back to an older
// epoch.
std::string renew_identity(const Directory& directory);

}  // namespace machida::store
