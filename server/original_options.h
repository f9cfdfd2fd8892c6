// The command line of the original, so that old start scripts work: its options that this server
// accepts and does not need, and its spellings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/options.h"

namespace CLI {
class App;
}

namespace machida {

inline constexpr const char* kOriginalGroup = "Accepted from the original";  // in --help

// What the server has no use for, and how many workers there shall be.
struct OriginalOptions {
  std::string join, name, control, data, my_control, my_data, external, metrics, file;
  std::uint64_t worker_count = 0, event_log_bytes = 0, stop_pause_ns = 0;
  bool cluster_initializer = false, log_rotation = false;
};

// Declares them, each with its short form.
void add_original(CLI::App& cli, OriginalOptions& a);

// What an accepted option asks for and does not get. Sets the number of workers and what has to do
// with it. `workers`: of --workers, 0 if it is not given.
std::optional<std::string> apply_workers(const OriginalOptions& a, std::uint64_t workers,
                                         Options& o);

struct Arguments {
  std::vector<std::string> ours;         // for the parser: the server's options and unknown ones
  std::vector<std::string> application;  // behind `--`: the application's, whatever they look like
};

// Reads `-w=3` as the original did. Leaves out every --pony* option: its runtime took them out of
// argv before the program saw it.
Arguments normalised(const CLI::App& cli, int argc, const char* const* argv);

// Checks of an option's value: what is wrong with it, "" when nothing is. CLI11's own ones print
// the largest double. What --help shows beside the value:
inline constexpr const char* kAboveZero = "POSITIVE";
inline constexpr const char* kZeroOrAbove = "NONNEGATIVE";
std::string above_zero(const std::string& text);
std::string zero_or_above(const std::string& text);

// `1_000_000`
std::string without_underscores(std::string text);

}  // namespace machida
