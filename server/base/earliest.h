// The earlier one of two times that may not come.
#pragma once

#include <cstdint>
#include <optional>

namespace machida {

inline std::optional<std::int64_t> earliest(std::optional<std::int64_t> a_us,
                                            std::optional<std::int64_t> b_us) {
  if (!a_us || (b_us && *b_us < *a_us)) return b_us;
  return a_us;
}

}  // namespace machida
