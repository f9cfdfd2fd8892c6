// The log: lines of one level on standard error, written at once. Any thread.
// Only log.cc knows the logging library, whose header is the slowest of all to compile.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <optional>
#include <string_view>

namespace machida::log {

enum class Level { kTrace, kDebug, kInfo, kWarn, kError, kNone };

// "info" and so on; nothing for a word that is no level.
std::optional<Level> level_named(std::string_view name);

// kNone: no line at all, for a test that makes many troubles.
void set_level(Level level);
// Lines say that they are of this worker.
void set_worker(std::uint32_t index);
bool enabled(Level level);
void line(Level level, std::string_view text);

template <class... Args>
void write(Level level, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level)) line(level, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kDebug, format, std::forward<Args>(args)...);
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kInfo, format, std::forward<Args>(args)...);
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarn, format, std::forward<Args>(args)...);
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, format, std::forward<Args>(args)...);
}

// Which of many equal events deserve a line: the first ten, then the 100th, 1,000th and so on.
inline bool worth_a_line(std::uint64_t occurrence) {
  if (occurrence <= 10) return true;
  while (occurrence % 10 == 0) occurrence /= 10;
  return occurrence == 1;
}

}  // namespace machida::log
