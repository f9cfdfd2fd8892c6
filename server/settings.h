// What the options of the command line and of the file that --config names are read into.
#pragma once

#include <cstdint>
#include <string>

#include "server/options.h"
#include "server/original_options.h"

namespace machida {

// Those that stand for something else in Options.
struct Words {
  std::string check, on_error = "dead-letter", unknown_keys = "drop", log_level = "info";
  double drain_timeout_s = 30;
  double commit_interval_s = 1;
  double epoch_interval_s = 1;
  std::uint64_t workers = 0;        // 0: not given
  std::uint64_t checkpoint_ns = 0;  // the original's word for it; 0: not given
  bool run_with_resilience = false;
};

// Everything that the command line sets.
struct Settings {
  Options options;
  Words words;
  OriginalOptions original;
  std::string config_file;
};

// Declares all options. `s` must outlive the parser.
void declare(CLI::App& cli, Settings& s);
// Puts what the words stand for into the options.
void apply(const Words& w, Options& o);

}  // namespace machida
