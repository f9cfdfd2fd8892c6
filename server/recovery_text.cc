#include "server/recovery_text.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <iterator>

namespace machida {
namespace {

constexpr int kRefused = 4;
constexpr std::size_t kKeyBytesShown = 64;

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes.substr(0, kKeyBytesShown))
    out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out + (bytes.size() > kKeyBytesShown ? "..." : "");
}

}  // namespace

std::string time_text(std::int64_t time_ms) {
  const std::chrono::system_clock::time_point time{std::chrono::milliseconds(time_ms)};
  return fmt::format("{:%Y-%m-%d %H:%M:%S}Z", fmt::gmtime(time));
}

std::string size_text(std::uint64_t bytes) {
  double size = static_cast<double>(bytes);
  const char* const units[] = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  for (; size >= 1000 && unit + 1 < std::size(units); ++unit) size /= 1000;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, units[unit]);
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\')
      out += "\\\\";
    else if (byte < 0x20 || byte == 0x7f)
      out += fmt::format("\\x{:02x}", byte);
    else
      out += c;
  }
  return out;
}

std::string key_text(const store::Key& key) {
  switch (key.kind) {
    case store::KeyKind::kNone:
      return "(no key)";
    case store::KeyKind::kText:
      return escaped(key.bytes);
    case store::KeyKind::kInteger:
      return std::to_string(key.integer);
    case store::KeyKind::kBytes:
      return "bytes " + hex(key.bytes);
    case store::KeyKind::kPickle:
      return fmt::format("pickle of {} bytes {}", key.bytes.size(), hex(key.bytes));
  }
  return "";
}

std::string key_line(std::string_view state, const store::Key& key, std::size_t bytes) {
  return fmt::format("{}\t{}\t{}\n", escaped(state), key_text(key), bytes);
}

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const Row& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string out;
  for (const Row& row : rows_) {
    std::string line = " ";
    for (std::size_t i = 0; i < row.size(); ++i)
      line += i == 0 ? fmt::format(" {:<{}}", row[i], widths[i])
                     : fmt::format("  {:>{}}", row[i], widths[i]);
    out += line + "\n";
  }
  return out;
}

void add_damage(const std::vector<std::string>& damage, RecoveryReport& report) {
  for (const std::string& why : damage) report.error += "machida: " + why + "\n";
  if (!damage.empty()) report.status = kRefused;
}

}  // namespace machida
