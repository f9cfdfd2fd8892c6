// The configuration file that --config names: the section `server` with the command line's options,
// and `streaming.sinks.<name>` for the application's storage sinks.
#pragma once

#include <string>
#include <vector>

#include "server/config/interpolation.h"
#include "server/config/mistake.h"
#include "server/config/value.h"

namespace machida::config {

class Configuration {
 public:
  // No file: nothing is configured.
  Configuration() = default;
  // Reads a .toml, .yaml or .yml file. Throws std::runtime_error when it can't be read at all; what
  // is wrong inside is among the mistakes.
  Configuration(const std::string& file, const Environment& environment);

  bool has_file() const noexcept { return !file_.empty(); }

  // Keys and values of `server`.
  const Value::Table& server() const { return server_; }
  // The sections of `streaming.sinks`, and where those are.
  const Value::Table& sinks() const { return sinks_; }
  const Place& sinks_place() const { return sinks_place_; }

  void wrong(const Place& place, const std::string& what) { mistakes_.push_back({place, what}); }
  // All of them by their places, as lines "FILE:LINE:COLUMN: what is wrong".
  std::vector<std::string> mistakes() const;

 private:
  void read_sections(const Value& root);
  void read_streaming(const Value& streaming);
  // The entries of a section that must be a table.
  const Value::Table* section(const Entry& entry, const std::string& name);

  std::string file_;
  Value::Table server_, sinks_;
  Place sinks_place_;
  std::vector<Mistake> mistakes_;
};

// A section of `streaming.sinks`, or all of them, as JSON that Python reads: with its NaN and
// Infinity, which TOML and YAML have and other JSON has not.
std::string to_json(const Value& value);
std::string to_json(const Value::Table& table);

}  // namespace machida::config
