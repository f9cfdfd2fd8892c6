#include "server/store/rows.h"

namespace machida::store {

std::string key_bytes(const Key& key) {
  return key.kind == KeyKind::kInteger ? std::to_string(key.integer) : key.bytes;
}

Key key_of(KeyKind kind, std::string_view bytes) {
  Key key{.kind = kind, .integer = 0, .bytes = std::string(bytes)};
  if (kind == KeyKind::kInteger) key.integer = std::stoll(key.bytes);
  return key;
}

}  // namespace machida::store
