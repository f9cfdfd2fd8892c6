#include "server/config/configuration.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <tuple>

#include "server/config/formats.h"

namespace machida::config {
namespace {

std::string content_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || in.bad())
    throw std::runtime_error("the configuration file '" + file +
                             "' can't be read: " + std::strerror(errno));
  return text.str();
}

}  // namespace

Configuration::Configuration(const std::string& file, const Environment& environment)
    : file_(file) {
  const bool toml = file.ends_with(".toml");
  if (!toml && !file.ends_with(".yaml") && !file.ends_with(".yml"))
    throw std::runtime_error("the configuration file '" + file +
                             "' must be named .toml, .yaml or .yml");
  const std::string text = content_of(file);
  Value root = toml ? read_toml(text, mistakes_) : read_yaml(text, mistakes_);
  interpolate(root, environment, mistakes_);
  if (mistakes_.empty() || root.table()) read_sections(root);
}

void Configuration::read_sections(const Value& root) {
  if (std::holds_alternative<std::monostate>(root.is)) return;  // an empty file
  if (!root.table())
    return wrong(root.place, std::string("the file must hold a table, not ") + root.kind());
  for (const Entry& entry : *root.table()) {
    if (entry.key == "server") {
      if (const Value::Table* table = section(entry, "server")) server_ = *table;
    } else if (entry.key == "streaming") {
      if (section(entry, "streaming")) read_streaming(entry.value);
    } else {
      wrong(entry.place, "unknown section '" + entry.key + "'; known: server, streaming");
    }
  }
}

void Configuration::read_streaming(const Value& streaming) {
  for (const Entry& entry : *streaming.table()) {
    if (entry.key != "sinks") {
      wrong(entry.place, "unknown section 'streaming." + entry.key + "'; known: streaming.sinks");
      continue;
    }
    sinks_place_ = entry.place;
    const Value::Table* sinks = section(entry, "streaming.sinks");
    if (!sinks) continue;
    for (const Entry& sink : *sinks)
      if (section(sink, "streaming.sinks." + sink.key)) sinks_.push_back(sink);
  }
}

const Value::Table* Configuration::section(const Entry& entry, const std::string& name) {
  const Value::Table* table = entry.value.table();
  if (!table) wrong(entry.place, "'" + name + "' must be a table, not " + entry.value.kind());
  return table;
}

std::vector<std::string> Configuration::mistakes() const {
  std::vector<Mistake> sorted = mistakes_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Mistake& a, const Mistake& b) {
    return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
  });
  std::vector<std::string> lines;
  for (const Mistake& mistake : sorted)
    lines.push_back(file_ + ":" + std::to_string(mistake.place.line) + ":" +
                    std::to_string(mistake.place.column) + ": " + mistake.what);
  return lines;
}

}  // namespace machida::config
