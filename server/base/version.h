// The version of the server and of the Python package.
#pragma once

namespace machida {

inline constexpr const char* kVersion = "0.1.0";

}  // namespace machida
