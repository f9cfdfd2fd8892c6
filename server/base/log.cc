#include "server/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace machida::log {
namespace {

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("machida",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

spdlog::level::level_enum library_level(Level level) {
  switch (level) {
    case Level::kTrace:
      return spdlog::level::trace;
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
    case Level::kNone:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

}  // namespace

std::optional<Level> level_named(std::string_view name) {
  if (name == "trace") return Level::kTrace;
  if (name == "debug") return Level::kDebug;
  if (name == "info") return Level::kInfo;
  if (name == "warn") return Level::kWarn;
  if (name == "error") return Level::kError;
  return std::nullopt;
}

void set_level(Level level) { logger().set_level(library_level(level)); }

void set_worker(std::uint32_t index) {
  logger().set_pattern(fmt::format("%Y-%m-%d %H:%M:%S.%e %l [worker {}] %v", index));
}

bool enabled(Level level) { return logger().should_log(library_level(level)); }

void line(Level level, std::string_view text) { logger().log(library_level(level), text); }

}  // namespace machida::log
