// A message of a log-like source, with what the source knows of it beside its value. Views into the
// source's memory, valid while the pipeline runs on it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace machida::flow {

struct Message {
  std::optional<std::string_view> value;  // nothing: a tombstone
  std::optional<std::string_view> key;
  std::string_view topic;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::optional<std::int64_t> timestamp_ms;
  // Filled only for decoders that ask for it.
  std::vector<std::pair<std::string, std::optional<std::string>>> headers;
};

}  // namespace machida::flow
