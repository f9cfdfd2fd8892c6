#include "server/config/value.h"

namespace machida::config {

const Value* Value::find(const std::string& key) const {
  const Table* entries = table();
  if (!entries) return nullptr;
  for (const Entry& entry : *entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

const char* Value::kind() const {
  constexpr const char* kKinds[] = {"nothing", "true or false", "an integer", "a number",
                                    "a text",  "a list",        "a table"};
  return kKinds[is.index()];
}

}  // namespace machida::config
